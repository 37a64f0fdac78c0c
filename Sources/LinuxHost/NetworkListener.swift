// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

private import Glibc
internal import SystemPackage

/// An accepted TCP connection, options already set, non-blocking and close-on-exec.
public struct AcceptedConnection: Sendable {
  /// The socket.
  public let descriptor: SharedDescriptor
  /// Who connected.
  public let peer: NetworkAddress

  /// Takes both parts.
  public init(descriptor: SharedDescriptor, peer: NetworkAddress) {
    self.descriptor = descriptor
    self.peer = peer
  }
}

/// A listening TCP socket for IPv6 and IPv4 at once.
public final class NetworkListener: Sendable {
  /// The port; the one the kernel chose where 0 was asked for.
  public let port: UInt16

  private let acceptor: Acceptor<AcceptedConnection>

  /// Listens on `port` of all addresses, or of `address` alone (whose own port does not count).
  ///
  /// Throws `HostError`: `EADDRINUSE` where another program has the port, `EADDRNOTAVAIL` for an
  /// address this machine does not have, `EACCES` below 1024 without the right.
  public init(port: UInt16, address: NetworkAddress? = nil) throws(HostError) {
    let descriptor: OwnedDescriptor
    if let address {
      descriptor = try NetworkListener.listen(address.with(port: port), dualStack: false)
    } else {
      do {
        let any = NetworkAddress(kind: .v6(high: 0, low: 0, scope: 0), port: port)
        descriptor = try NetworkListener.listen(any, dualStack: true)
      } catch  where error.code == .addressFamilyNotSupported || error.code == .addressNotAvailable
      {
        // A kernel booted with ipv6.disable=1 has no such family, or no such address.
        descriptor = try NetworkListener.listen(
          NetworkAddress(kind: .v4(0), port: port), dualStack: false)
      }
    }
    self.port = NetworkAddress(localOf: descriptor.rawValue)?.port ?? port
    acceptor = try Acceptor(
      listener: SharedDescriptor(descriptor), label: "devconfig.network-listener"
    ) { connection, storage in
      guard let peer = NetworkAddress(storage) else { return nil }
      // Fails only for a connection that is gone already; its reader will notice.
      try? SocketOptions.prepareConnection(connection.rawValue)
      return AcceptedConnection(descriptor: SharedDescriptor(connection), peer: peer)
    }
  }

  deinit {
    close()
  }

  /// The connections as they come in, for one consumer; ends with `close`.
  public var connections: AsyncStream<AcceptedConnection> {
    AsyncStream { await self.acceptor.next() }
  }

  /// Stops listening; harmless the second time.
  public func close() {
    acceptor.close()
  }

  private static func listen(
    _ address: NetworkAddress, dualStack: Bool
  ) throws(HostError) -> OwnedDescriptor {
    let flags = Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
    let number = socket(address.family, Int32(SOCK_STREAM.rawValue) | flags, 0)
    guard number >= 0 else { throw HostError("listen on", address.description, .current) }
    let descriptor = OwnedDescriptor(adopting: number)
    // Lets a restarted agent have its port while old connections still linger in TIME_WAIT.
    try SocketOptions.set(number, SOL_SOCKET, SO_REUSEADDR, 1, "set SO_REUSEADDR")
    if address.family == AF_INET6 {
      try SocketOptions.set(
        number, Int32(IPPROTO_IPV6), IPV6_V6ONLY, dualStack ? 0 : 1, "set IPV6_V6ONLY")
    }
    let bound = unsafe address.withSocketAddress { unsafe bind(number, $0, $1) }
    guard bound == 0, Glibc.listen(number, SOMAXCONN) == 0 else {
      throw HostError("listen on", address.description, .current)
    }
    return descriptor
  }
}
