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
}
