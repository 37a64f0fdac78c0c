// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

private import Glibc
internal import SystemPackage

/// The way of a capture from a session to the program that asked for it (unix(7), SOCK_SEQPACKET):
/// one block is one packet, which goes whole or, where the reader is too slow, not at all.
public struct CaptureSockets: Sendable {
  /// The end for the session.
  public let writer: SharedDescriptor
  /// The end for the reader.
  public let reader: SharedDescriptor

  /// Makes a connected pair that holds `HostLimits.captureBufferLength` bytes.
  ///
  /// Throws `HostError` with `EMFILE` or `ENFILE` where descriptors ran out.
  public init() throws(HostError) {
    var ends: [Int32] = [-1, -1]
    let type = Int32(SOCK_SEQPACKET.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    // SAFETY: the array has room for the two numbers.
    guard unsafe socketpair(AF_UNIX, type, 0, &ends) == 0 else {
      throw HostError("make capture sockets", "", .current)
    }
    writer = SharedDescriptor(OwnedDescriptor(adopting: ends[0]))
    reader = SharedDescriptor(OwnedDescriptor(adopting: ends[1]))
    let wanted = Int32(HostLimits.captureBufferLength)
    do throws(HostError) {
      try SocketOptions.set(ends[0], SOL_SOCKET, SO_SNDBUFFORCE, wanted, "set SO_SNDBUFFORCE")
    } catch {
      // Without CAP_NET_ADMIN up to net.core.wmem_max: more packets are dropped, and counted.
      try? SocketOptions.set(ends[0], SOL_SOCKET, SO_SNDBUF, wanted, "set SO_SNDBUF")
    }
  }
}
