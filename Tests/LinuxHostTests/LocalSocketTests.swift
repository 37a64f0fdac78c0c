// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import Glibc
import SystemPackage
import TestSupport
import Testing

@testable import LinuxHost

@Suite(.timeLimit(.minutes(1))) final class LocalSocketTests {
  let directory: FilePath
  var path: FilePath { directory.appending("agent.sock") }

  init() throws {
    directory = try SysfsTree.temporaryDirectory()
  }

  deinit {
    SysfsTree.removeAll(directory)
  }

  /// A connected pair: the agent's side and the command line's.
  private func connect(
    _ listener: LocalListener
  ) async throws -> (agent: LocalConnection, client: SharedClient) {
    let client = SharedClient(try LocalClient.connect(to: path))
    var connections = listener.connections.makeAsyncIterator()
    return (try #require(await connections.next()), client)
  }

  /// Runs the blocking client off the cooperative pool; one call at a time.
  final class SharedClient: @unchecked Sendable {
    // SAFETY: every test waits for one call before it makes the next.
    private let client: LocalClient

    init(_ client: LocalClient) { self.client = client }

    func send(_ bytes: [UInt8]) async throws {
      try await BlockingWork.run("test-client") { () throws(HostError) in
        try self.client.send(bytes)
      }
    }

    func takeDescriptor() -> SharedDescriptor? { client.takeDescriptor() }

    func receive(deadline: Int? = 60_000) async throws -> [UInt8]? {
      try await BlockingWork.run("test-client") { () throws(HostError) in
        try self.client.receive(deadline: deadline)
      }
    }
  }

  @Test func `bytes go both ways, the peer is known`() async throws {
    let listener = try LocalListener(path: path)
    let (agent, client) = try await connect(listener)
    #expect(agent.peer.uid == getuid())
    #expect(agent.peer.gid == getgid())
    #expect(agent.peer.pid == getpid())
    var groups = [gid_t](repeating: 0, count: 65536)
    let count = Int(getgroups(65536, &groups))
    #expect(Set(agent.peer.groups) == Set(groups.prefix(count)))
    #expect(agent.peer.isMember(of: getgid()))
    #expect(!agent.peer.isMember(of: 4_000_000))
    var incoming = agent.incoming.makeAsyncIterator()
    try await client.send([1, 2, 3, 0])
    #expect(await incoming.next() == [1, 2, 3, 0])
    try await agent.send([9, 8, 0])
    #expect(try await client.receive() == [9, 8, 0])
    agent.close()
    #expect(try await client.receive() == nil)
    #expect(await incoming.next() == nil)
  }

  @Test func `a descriptor goes beside a reply, once, however long the reply is`() async throws {
    let listener = try LocalListener(path: path)
    let (agent, client) = try await connect(listener)
    let sockets = try CaptureSockets()
    try await agent.send([1, 0], descriptor: sockets.reader)
    #expect(try await client.receive() == [1, 0])
    let arrived = try #require(client.takeDescriptor())
    #expect(client.takeDescriptor() == nil)
    #expect(arrived.rawValue != sockets.reader.rawValue)
    try StreamSocket(try sockets.writer.duplicate()).send([7], before: .now + .seconds(20))
    let output = StreamSocket(try arrived.duplicate())
    #expect(try output.receive(atMost: 9, before: .now + .seconds(20)) == [7])

    let long = [UInt8](repeating: 5, count: 3 << 20)
    async let sent: Void = agent.send(long, descriptor: sockets.reader)
    var count = 0
    var descriptors = 0
    while count < long.count, let bytes = try await client.receive() {
      count += bytes.count
      if client.takeDescriptor() != nil { descriptors += 1 }
    }
    try await sent
    #expect(count == long.count)
    #expect(descriptors == 1)
    try await agent.send([2, 0])
    #expect(try await client.receive() == [2, 0])
    #expect(client.takeDescriptor() == nil)
  }

  @Test func `the file has the mode asked for and goes with the listener`() async throws {
    let listener = try LocalListener(path: path, mode: 0o660, group: getgid())
    var status = stat()
    #expect(path.withCString { stat($0, &status) } == 0)
    #expect(status.st_mode & S_IFMT == S_IFSOCK)
    #expect(status.st_mode & 0o777 == 0o660)
    #expect(status.st_gid == getgid())
    listener.close()
    #expect(path.withCString { stat($0, &status) } == -1)
    #expect(throws: HostError("connect to", path.string, .noSuchFileOrDirectory)) {
      _ = try LocalClient.connect(to: path)
    }
  }

  @Test func `a second listener is refused, and the first goes on`() async throws {
    let listener = try LocalListener(path: path)
    #expect(throws: HostError("listen on", path.string, .addressInUse)) {
      _ = try LocalListener(path: self.path)
    }
    // The refused one looked whether somebody answers; that connection comes first.
    var connections = listener.connections.makeAsyncIterator()
    let probe = try #require(await connections.next())
    var probed = probe.incoming.makeAsyncIterator()
    #expect(await probed.next() == nil)
    let (agent, client) = try await connect(listener)
    try await agent.send([7])
    #expect(try await client.receive() == [7])
  }

  @Test func `the file of a dead process is replaced, a file that is no socket is not`()
    async throws
  {
    let stale = try UnixSocket.make(nonBlocking: false, path: path)
    let number = stale.rawValue
    #expect(try UnixSocket.withAddress(path) { bind(number, $0, $1) } == 0)
    #expect(throws: HostError("connect to", path.string, .connectionRefused)) {
      _ = try LocalClient.connect(to: self.path)
    }
    let listener = try LocalListener(path: path)
    let (agent, client) = try await connect(listener)
    try await agent.send([7])
    #expect(try await client.receive() == [7])
    listener.close()
    try StateFile(path: path).write([1])
    #expect(throws: HostError("listen on", path.string, .fileExists)) {
      _ = try LocalListener(path: self.path)
    }
    #expect(try StateFile(path: path).read() == [1])
  }

  @Test func `a file that another process made meanwhile is not removed`() throws {
    let listener = try LocalListener(path: path)
    _ = path.withCString { unlink($0) }
    try StateFile(path: path).write([1])
    listener.close()
    #expect(try StateFile(path: path).read() == [1])
  }

  @Test func `a path that is too long is an error`() {
    let long = directory.appending(String(repeating: "x", count: 108))
    #expect(throws: HostError("use as socket path", long.string, .fileNameTooLong)) {
      _ = try LocalListener(path: long)
    }
    #expect(throws: HostError("use as socket path", long.string, .fileNameTooLong)) {
      _ = try LocalClient.connect(to: long)
    }
  }

  @Test func `reading stops at the limit and goes on, nothing is lost`() async throws {
    let listener = try LocalListener(path: path)
    let (agent, client) = try await connect(listener)
    // Far more than the limit and both socket buffers; the client has to wait for the reader.
    let total = 4 * HostLimits.unreadBytes
    let sender = Task {
      for index in 0..<16 {
        try await client.send([UInt8](repeating: UInt8(index), count: total / 16))
      }
    }
    var received: [Int: Int] = [:]
    var count = 0
    for await chunk in agent.incoming {
      for byte in chunk { received[Int(byte), default: 0] += 1 }
      count += chunk.count
      if count == total { break }
    }
    try await sender.value
    #expect(received.count == 16)
    #expect(received.values.allSatisfy { $0 == total / 16 })
  }

  /// The kernel reports the hang-up while reading is switched off here.
  @Test func `a peer that hangs up while the limit is reached is still read to its end`()
    async throws
  {
    let listener = try LocalListener(path: path)
    var client: SharedClient? = SharedClient(try LocalClient.connect(to: path))
    var connections = listener.connections.makeAsyncIterator()
    let agent = try #require(await connections.next())
    // More than the limit, and little enough for the socket's buffer to take the rest.
    let total = HostLimits.unreadBytes + HostLimits.chunkLength + 20_000
    try await client?.send([UInt8](repeating: 3, count: total))
    client = nil
    var count = 0
    for await chunk in agent.incoming { count += chunk.count }
    #expect(count == total)
  }

  @Test func `a large answer waits for a slow reader and arrives whole and in order`() async throws
  {
    let listener = try LocalListener(path: path)
    let (agent, client) = try await connect(listener)
    async let first: Void = agent.send([UInt8](repeating: 1, count: 3_000_000))
    var received: [UInt8] = []
    while received.count < 3_000_000 { received += try #require(try await client.receive()) }
    _ = try await first
    try await agent.send([2])
    #expect(received.allSatisfy { $0 == 1 })
    #expect(try await client.receive() == [2])
  }

  @Test func `a peer that does not read is given up after the deadline`() async throws {
    var ends: [Int32] = [0, 0]
    try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
    defer { close(ends[1]) }
    let agent = try LocalConnection(
      OwnedDescriptor(adopting: ends[0]), peer: PeerCredentials(uid: 1, gid: 2, pid: 3),
      writeDeadline: 50)
    await #expect(throws: HostError("send to", "local peer 3", .timedOut)) {
      try await agent.send([UInt8](repeating: 1, count: 10_000_000))
    }
    await #expect(throws: HostError("send to", "local peer 3", .timedOut)) {
      try await agent.send([1])
    }
  }

  @Test func `sending to a peer that is gone is an error, not a signal`() async throws {
    let listener = try LocalListener(path: path)
    var client: SharedClient? = SharedClient(try LocalClient.connect(to: path))
    var connections = listener.connections.makeAsyncIterator()
    let agent = try #require(await connections.next())
    withExtendedLifetime(client) {}
    client = nil
    var incoming = agent.incoming.makeAsyncIterator()
    #expect(await incoming.next() == nil)
    await #expect(throws: HostError("send to", "local peer \(getpid())", .brokenPipe)) {
      try await agent.send([1])
    }
    agent.close()
    await #expect(throws: HostError.self) { try await agent.send([1]) }
  }

  @Test func `a client waits no longer than its deadline`() async throws {
    let listener = try LocalListener(path: path)
    let (agent, client) = try await connect(listener)
    await #expect(throws: HostError("receive from", path.string, .timedOut)) {
      _ = try await client.receive(deadline: 20)
    }
    withExtendedLifetime(agent) {}
  }

  @Test func `cancelling the reader ends its stream only`() async throws {
    let listener = try LocalListener(path: path)
    let (agent, client) = try await connect(listener)
    let reader = Task { await agent.incoming.first { _ in true } }
    reader.cancel()
    #expect(await reader.value == nil)
    try await client.send([5])
    #expect(await agent.incoming.first { _ in true } == [5])
  }

  @Test func `names of users and groups`() async {
    #expect(UserDatabase.userName(0) == "root")
    #expect(UserDatabase.groupID(named: "root") == 0)
    #expect(UserDatabase.groupID(named: "no-such-group") == nil)
    #expect(UserDatabase.groupID(named: "ro\0ot") == nil)
    #expect(await PeerCredentials(uid: 0, gid: 0, pid: 1).userName() == "root")
    #expect(await PeerCredentials(uid: 4_000_000, gid: 0, pid: 1).userName() == "4000000")
  }
}
