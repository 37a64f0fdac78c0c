// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import Glibc
import SystemPackage
import Testing

@testable import LinuxHost

@Suite(.timeLimit(.minutes(1))) struct NetworkTests {
  /// A sandboxed session may make no socket, and looking up an interface takes one.
  @Test func `an address for a session names its interface by number`() throws {
    let address = try #require(NetworkAddress(numeric: "fe80::1%lo", port: 3240))
    #expect(address.numericHost == "fe80::1%1")
    #expect(address.numericDescription == "[fe80::1%1]:3240")
    #expect(NetworkAddress(numeric: address.numericHost, port: 3240) == address)
    let plain = try #require(NetworkAddress(numeric: "10.9.0.1", port: 3240))
    #expect(plain.numericHost == plain.host)
    #expect(plain.numericDescription == plain.description)
  }

  @Test(arguments: [
    ("10.9.0.1", "10.9.0.1", "10.9.0.1:3240"),
    ("0.0.0.0", "0.0.0.0", "0.0.0.0:3240"),
    ("::1", "::1", "[::1]:3240"),
    (
      "2001:DB8:0102:0304:0506:0708:090a:0b0c", "2001:db8:102:304:506:708:90a:b0c",
      "[2001:db8:102:304:506:708:90a:b0c]:3240"
    ),
    ("::ffff:192.0.2.5", "192.0.2.5", "192.0.2.5:3240"),
    ("fe80::1%lo", "fe80::1%lo", "[fe80::1%lo]:3240"),
    ("fe80::1%1", "fe80::1%lo", "[fe80::1%lo]:3240"),
    ("fe80::2%4000000000", "fe80::2%4000000000", "[fe80::2%4000000000]:3240"),
  ])
  func `numeric addresses`(text: String, host: String, whole: String) throws {
    let address = try #require(NetworkAddress(numeric: text, port: 3240))
    #expect(address.host == host)
    #expect(address.description == whole)
    #expect(address.port == 3240)
    #expect(NetworkAddress(numeric: address.host, port: 3240) == address)
    #expect(address.with(port: 1).port == 1)
    #expect(address.with(port: 1).host == host)
  }

  @Test(arguments: [
    "", "localhost", "10.9.0", "10.9.0.256", "10.9.0.1:3240", "[::1]", "::1%", "::1%nosuch0",
    "::1%0",
    "::1%-1", "10.9.0.1%lo", "fe80::1%lo%lo", "::1\0", "10.9.0.1\0", "1::2::3", " 10.9.0.1", "%lo",
    "fe80::1%4294967296", "fe80::1%lo\0",
  ])
  func `texts that are no address`(text: String) {
    #expect(NetworkAddress(numeric: text, port: 1) == nil)
  }

  @Test func `addresses of the loopback interface`() throws {
    for (text, isLoopback) in [
      ("127.0.0.1", true), ("127.9.9.9", true), ("::1", true), ("128.0.0.1", false), ("::2", false),
      ("::ffff:127.0.0.1", true),
    ] {
      #expect(try #require(NetworkAddress(numeric: text, port: 1)).isLoopback == isLoopback)
    }
  }

  /// Blocking, for a loopback connection, which answers at once.
  private func connect(_ host: String, _ port: UInt16) throws -> SharedDescriptor {
    let address = try #require(NetworkAddress(numeric: host, port: port))
    let socket = SharedDescriptor(try DialSocket.make(for: address))
    let result: Int32
    if host.contains(":") {
      var structure = sockaddr_in6()
      structure.sin6_family = sa_family_t(AF_INET6)
      structure.sin6_port = port.bigEndian
      structure.sin6_addr = in6addr_loopback
      result = withUnsafePointer(to: &structure) { whole in
        whole.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          Glibc.connect(socket.rawValue, $0, socklen_t(MemoryLayout<sockaddr_in6>.size))
        }
      }
    } else {
      var structure = sockaddr_in()
      structure.sin_family = sa_family_t(AF_INET)
      structure.sin_port = port.bigEndian
      structure.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
      result = withUnsafePointer(to: &structure) { whole in
        whole.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          Glibc.connect(socket.rawValue, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
      }
    }
    try #require(result == 0)
    return socket
  }

  private func option(_ socket: Int32, _ level: Int32, _ name: Int32) -> Int32 {
    var value: Int32 = -1
    var length = socklen_t(4)
    _ = getsockopt(socket, level, name, &value, &length)
    return value
  }

  private func expectPrepared(_ socket: Int32) {
    let tcp = Int32(IPPROTO_TCP)
    #expect(option(socket, tcp, TCP_NODELAY) == 1)
    #expect(option(socket, SOL_SOCKET, SO_KEEPALIVE) == 1)
    #expect(option(socket, tcp, TCP_KEEPIDLE) == 5)
    #expect(option(socket, tcp, TCP_KEEPINTVL) == 2)
    #expect(option(socket, tcp, TCP_KEEPCNT) == 3)
    #expect(option(socket, tcp, TCP_USER_TIMEOUT) == 10_000)
    #expect(OpenDescriptors.isCloseOnExec(socket))
  }

  @Test func `a listener takes IPv4 and IPv6, sockets are prepared on both sides`() async throws {
    let listener = try NetworkListener(port: 0)
    #expect(listener.port > 0)
    var connections = listener.connections.makeAsyncIterator()
    for (host, peer) in [("127.0.0.1", "127.0.0.1"), ("::1", "::1")] {
      let client = try connect(host, listener.port)
      expectPrepared(client.rawValue)
      let accepted = try #require(await connections.next())
      expectPrepared(accepted.descriptor.rawValue)
      #expect(accepted.peer.host == peer)
      #expect(fcntl(accepted.descriptor.rawValue, F_GETFL) & O_NONBLOCK != 0)
      #expect(fcntl(client.rawValue, F_GETFL) & O_NONBLOCK == 0)
      let sent: [UInt8] = [0xA1, 0xB2]
      #expect(send(client.rawValue, sent, 2, Int32(MSG_NOSIGNAL)) == 2)
      var entry = pollfd(fd: accepted.descriptor.rawValue, events: Int16(POLLIN), revents: 0)
      #expect(poll(&entry, 1, 5000) == 1)
      var received: [UInt8] = [0, 0]
      #expect(recv(accepted.descriptor.rawValue, &received, 2, 0) == 2)
      #expect(received == sent)
    }
  }

  @Test(
    .enabled(if: geteuid() == 0, "needs root"),
    arguments: ["127.0.0.1", "::1"])
  func `root can show that it is root`(host: String) async throws {
    let listener = try NetworkListener(port: 0)
    var connections = listener.connections.makeAsyncIterator()
    let address = try #require(NetworkAddress(numeric: host, port: listener.port))
    // One after the other: the port of the last one may not be free yet.
    for isPrivileged in [true, true, false] {
      let socket = StreamSocket(
        isPrivileged
          ? try DialSocket.makePrivileged(for: address, from: address)
          : try DialSocket.make(for: address))
      expectPrepared(socket.rawValue)
      try socket.connect(to: address, before: .now + .seconds(10))
      let accepted = try #require(await connections.next())
      #expect(accepted.peer.isPrivileged == isPrivileged)
      #expect(accepted.peer.host == host)
      #expect(accepted.descriptor.localAddress == address)
    }
    // One that this machine has no longer, and one of the other family.
    for text in ["192.0.2.1", "2001:db8::1"] {
      let local = NetworkAddress(numeric: text, port: 0)
      let socket = StreamSocket(try DialSocket.makePrivileged(for: address, from: local))
      try socket.connect(to: address, before: .now + .seconds(10))
      #expect(await connections.next()?.peer.host == host)
    }
  }

  @Test func `a port in use is told apart`() throws {
    let first = try NetworkListener(port: 0)
    #expect(throws: HostError("listen on", "[::]:\(first.port)", .addressInUse)) {
      _ = try NetworkListener(port: first.port)
    }
    let loopback = try #require(NetworkAddress(numeric: "127.0.0.1", port: 0))
    #expect(throws: HostError("listen on", "127.0.0.1:\(first.port)", .addressInUse)) {
      _ = try NetworkListener(port: first.port, address: loopback)
    }
    first.close()
  }

  @Test func `one address only`() async throws {
    let loopback = try #require(NetworkAddress(numeric: "::1", port: 9))
    let listener = try NetworkListener(port: 0, address: loopback)
    var connections = listener.connections.makeAsyncIterator()
    let client = try connect("::1", listener.port)
    #expect(await connections.next()?.peer.host == "::1")
    withExtendedLifetime(client) {}
    let foreign = try #require(NetworkAddress(numeric: "192.0.2.1", port: 0))
    #expect(throws: HostError("listen on", "192.0.2.1:0", .addressNotAvailable)) {
      _ = try NetworkListener(port: 0, address: foreign)
    }
  }

  @Test func `closing ends the stream and frees the port`() async throws {
    let listener = try NetworkListener(port: 0)
    let connections = listener.connections
    let consumer = Task {
      var count = 0
      for await _ in connections { count += 1 }
      return count
    }
    listener.close()
    listener.close()
    #expect(await consumer.value == 0)
    let port = listener.port
    #expect(await OpenDescriptors.eventually { (try? NetworkListener(port: port)) != nil })
  }

  @Test func `accepting stops while nobody takes connections, and none is lost`() async throws {
    let listener = try NetworkListener(port: 0)
    var clients: [SharedDescriptor] = []
    for _ in 0..<(HostLimits.waitingConnections + 40) {
      clients.append(try connect("127.0.0.1", listener.port))
    }
    var connections = listener.connections.makeAsyncIterator()
    var peers: Set<UInt16> = []
    for _ in clients { peers.insert(try #require(await connections.next()).peer.port) }
    #expect(peers.count == clients.count)
  }

  @Test func `preparing what is no socket is an error`() throws {
    let file = try FileDescriptor.open("/dev/null", .readOnly)
    defer { try? file.close() }
    #expect(throws: HostError("set TCP_NODELAY", "\(file.rawValue)", .notSocket)) {
      try SocketOptions.prepareConnection(file.rawValue)
    }
  }
}
