// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import Glibc
internal import SystemPackage

/// TCP sockets for outgoing connections.
public enum DialSocket {
  /// An unconnected, close-on-exec, blocking socket of the address's family, options already set.
  ///
  /// Whoever connects it need not be allowed to make sockets. Throws `HostError`, `EAFNOSUPPORT`
  /// where this machine does not speak the family.
  public static func make(for address: NetworkAddress) throws(HostError) -> OwnedDescriptor {
    let number = socket(
      address.family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard number >= 0 else { throw HostError("make socket for", address.description, .current) }
    let descriptor = OwnedDescriptor(adopting: number)
    try SocketOptions.prepareConnection(number)
    return descriptor
  }

  /// Above the services that have numbers below 512, and below `IPPORT_RESERVED` (netinet/in.h).
  private static let privilegedPorts: Range<UInt16> = 512..<1024

  /// As `make`, and bound to a port that only root may send from: who is connected to knows that root asks.
  ///
  /// It sends from `local` where this machine still has that address, and that is one. Throws `HostError`:
  /// `EACCES` where this process is not root (CAP_NET_BIND_SERVICE), `EADDRINUSE` where all such ports are taken.
  public static func makePrivileged(
    for address: NetworkAddress, from local: NetworkAddress? = nil
  ) throws(HostError) -> OwnedDescriptor {
    let descriptor = try make(for: address)
    let local = local?.family == address.family ? local : nil
    // Not the same one again: its last connection may not be forgotten yet.
    let first = UInt16.random(in: privilegedPorts)
    for port in Array(first..<privilegedPorts.upperBound) + (privilegedPorts.lowerBound..<first) {
      let source = (local ?? address.unspecified).with(port: port)
      // SAFETY: the address lives for the call, its length is its own.
      let result = unsafe source.withSocketAddress { unsafe bind(descriptor.rawValue, $0, $1) }
      if result == 0 { return descriptor }
      let code = Errno.current
      if code == .addressNotAvailable, local != nil { return try makePrivileged(for: address) }
      guard code == .addressInUse else {
        throw HostError("bind socket for", address.description, code)
      }
    }
    throw HostError("bind socket for", address.description, .addressInUse)
  }
}

extension SharedDescriptor {
  /// The address at this end, of a socket that has one.
  public var localAddress: NetworkAddress? { NetworkAddress(localOf: rawValue) }
}
