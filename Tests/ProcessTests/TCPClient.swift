// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import Glibc
import LinuxHost
import TestSupport
import USBIPWire

/// A peer of the agent's TCP port that sends whatever a test wants.
enum TCPClient {
  /// An open connection; closed when the last reference goes.
  static func connect(_ port: UInt16) throws -> SharedDescriptor {
    let number = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard number >= 0 else { throw NotInTime(description: "no socket: \(errno)") }
    let descriptor = SharedDescriptor(OwnedDescriptor(adopting: number))
    let result = withAddress(0x7F00_0001, port) { Glibc.connect(number, $0, $1) }
    guard result == 0 else { throw NotInTime(description: "no connection: \(errno)") }
    return descriptor
  }

  /// The same from a port below 1024.
  static func connectAsRoot(_ port: UInt16) throws -> SharedDescriptor {
    guard let address = NetworkAddress(numeric: "127.0.0.1", port: port) else {
      throw NotInTime(description: "no address")
    }
    let socket = StreamSocket(try DialSocket.makePrivileged(for: address))
    try socket.connect(to: address, before: .now + .seconds(10))
    try socket.setBlocking()
    return SharedDescriptor(socket.release())
  }

  /// True where nobody has `port`; when this returns, neither does this process.
  static func isFree(_ port: UInt16) -> Bool {
    let number = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    defer { close(number) }
    return withAddress(0, port) { bind(number, $0, $1) } == 0
  }

  private static func withAddress(
    _ host: UInt32, _ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
  ) -> Int32 {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = host.bigEndian
    return withUnsafePointer(to: &address) { whole in
      whole.withMemoryRebound(to: sockaddr.self, capacity: 1) { start in
        body(start, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
  }

  /// Sends `bytes`, and with `finishing` tells that no more come; returns all that comes back until
  /// the other side closes.
  static func exchange(
    _ bytes: [UInt8], with port: UInt16, finishing: Bool = false, isPrivileged: Bool = false
  ) async throws -> [UInt8] {
    try await BackgroundThread.run {
      let connection = try isPrivileged ? connectAsRoot(port) : connect(port)
      _ = bytes.withUnsafeBytes { buffer in
        send(connection.rawValue, buffer.baseAddress, buffer.count, Int32(MSG_NOSIGNAL))
      }
      if finishing { _ = shutdown(connection.rawValue, Int32(SHUT_WR)) }
      return try readToEnd(connection)
    }
  }

  /// Sends `bytes` and goes at once: with a reset, or with a FIN.
  static func sendAndGo(_ bytes: [UInt8], to port: UInt16, resetting: Bool) throws {
    let connection = try connect(port)
    _ = bytes.withUnsafeBytes { buffer in
      send(connection.rawValue, buffer.baseAddress, buffer.count, Int32(MSG_NOSIGNAL))
    }
    guard resetting else { return }
    // Closed without a lingering moment, TCP says RST (socket(7)).
    var option = linger(l_onoff: 1, l_linger: 0)
    _ = setsockopt(
      connection.rawValue, SOL_SOCKET, SO_LINGER, &option,
      socklen_t(MemoryLayout.size(ofValue: option)))
  }

  /// All that comes until the other side closes; a reset counts as that.
  static func readToEnd(_ connection: SharedDescriptor) throws -> [UInt8] {
    var received: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
      try BackgroundThread.wait(for: connection.rawValue)
      let count = recv(connection.rawValue, &buffer, buffer.count, 0)
      guard count > 0 else { return received }
      received += buffer.prefix(count)
    }
  }

  /// The reply to one request of USB/IP 1.1.1.
  static func ask(
    _ request: [UInt8], expecting code: OperationCode, of port: UInt16
  ) async throws -> OperationReplyParser.Parsed {
    var parser = OperationReplyParser(expecting: code)
    parser.append(try await exchange(request, with: port))
    guard let parsed = try parser.next() else {
      throw NotInTime(description: "half a reply")
    }
    return parsed
  }
}
