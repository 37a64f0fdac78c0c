// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import Glibc
import SystemPackage
import Testing

@testable import LinuxHost

@Suite(.timeLimit(.minutes(1))) struct ControlTests {
  private func file() throws -> OwnedDescriptor {
    try openFile("/dev/zero", O_RDONLY)
  }

  /// Device and inode of what a descriptor is open on.
  private func identity(_ descriptor: Int32) -> [UInt64] {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { return [] }
    return [UInt64(status.st_dev), UInt64(status.st_ino), UInt64(status.st_rdev)]
  }

  @Test func `packets keep their borders and bring descriptors, both ways`() async throws {
    let pair = try ControlChannel.pair()
    let channel = pair.agent
    let session = ControlSocket(adopting: pair.takeSession())
    let zero = try file()
    try channel.send([1, 2, 3], descriptors: [zero.rawValue, session.rawValue])
    try channel.send([4])
    let first = try #require(try session.receive(deadline: 5000))
    #expect(first.bytes == [1, 2, 3])
    #expect(first.descriptors.count == 2)
    #expect(identity(first.descriptors[0].rawValue) == identity(zero.rawValue))
    #expect(identity(first.descriptors[1].rawValue) == identity(session.rawValue))
    #expect(first.descriptors[0].rawValue != zero.rawValue)
    #expect(first.descriptors.allSatisfy { OpenDescriptors.isCloseOnExec($0.rawValue) })
    let second = try #require(try session.receive(deadline: 5000))
    #expect(second.bytes == [4])
    #expect(second.descriptors.isEmpty)

    var incoming = channel.incoming.makeAsyncIterator()
    try session.send([5, 6], descriptors: [zero.rawValue])
    try session.send([7])
    let third = try #require(await incoming.next())
    #expect(third.bytes == [5, 6])
    #expect(third.descriptors.map { identity($0.rawValue) } == [identity(zero.rawValue)])
    #expect(await incoming.next()?.bytes == [7])
  }

  @Test func `a kept end stays connected, and tells when the other one has gone`() async throws {
    let pair = try ControlChannel.pair()
    // Closing it would end the connection for every duplicate.
    let channel = pair.agent
    defer { withExtendedLifetime(channel) {} }
    let kept = try channel.duplicate()
    let session = ControlSocket(adopting: pair.takeSession())
    let isConnected = ControlChannel.isConnected(kept)
    #expect(isConnected)
    try session.send([1])
    let isStillConnected = ControlChannel.isConnected(kept)
    #expect(isStillConnected)
    _ = consume session
    let isConnectedAfterwards = ControlChannel.isConnected(kept)
    #expect(!isConnectedAfterwards)
  }

  @Test func `the largest packet with the most descriptors passes, more does not`() async throws {
    let pair = try ControlChannel.pair()
    let channel = pair.agent
    let session = ControlSocket(adopting: pair.takeSession())
    let zero = try file()
    var bytes = [UInt8](repeating: 0, count: HostLimits.controlMessageLength)
    for index in bytes.indices { bytes[index] = UInt8(truncatingIfNeeded: index &* 31) }
    try channel.send(bytes, descriptors: [Int32](repeating: zero.rawValue, count: 4))
    let message = try #require(try session.receive(deadline: 5000))
    #expect(message.bytes == bytes)
    #expect(message.descriptors.count == 4)
    for (bytes, count) in [(bytes + [0], 0), ([1], 5), ([], 0)] {
      #expect(throws: HostError.self) {
        try channel.send(bytes, descriptors: [Int32](repeating: zero.rawValue, count: count))
      }
    }
    #expect(throws: HostError("send control message", "", .badFileDescriptor)) {
      try channel.send([1], descriptors: [-1])
    }
    #expect(throws: HostError("receive control message", "", .timedOut)) {
      _ = try session.receive(deadline: 0)
    }
  }

  /// Sends with plain sendmsg(2) what the types here would refuse.
  private func sendRaw(_ socket: Int32, length: Int) {
    let bytes = [UInt8](repeating: 1, count: length)
    var size = Int32(4 << 20)
    _ = setsockopt(socket, SOL_SOCKET, SO_SNDBUFFORCE, &size, 4)
    #expect(send(socket, bytes, length, Int32(MSG_NOSIGNAL)) == length)
  }

  @Test func `a packet that is too long ends the channel, and says why`() async throws {
    let pair = try ControlChannel.pair()
    let channel = pair.agent
    let session = pair.takeSession()
    sendRaw(session.rawValue, length: HostLimits.controlMessageLength + 1)
    var incoming = channel.incoming.makeAsyncIterator()
    #expect(await incoming.next() == nil)
    #expect(channel.failure == HostError("receive control message", "", .messageTooLong))
    #expect(send(session.rawValue, [1], 1, Int32(MSG_NOSIGNAL)) == -1)
  }

  @Test func `a packet that is too long is an error for the session`() throws {
    let pair = try ControlChannel.pair()
    let channel = pair.agent
    let session = ControlSocket(adopting: pair.takeSession())
    var ends: [Int32] = [0, 0]
    try #require(socketpair(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue), 0, &ends) == 0)
    let other = ControlSocket(adopting: OwnedDescriptor(adopting: ends[0]))
    sendRaw(ends[1], length: HostLimits.controlMessageLength + 1)
    #expect(throws: HostError("receive control message", "", .messageTooLong)) {
      _ = try other.receive(deadline: 5000)
    }
    close(ends[1])
    #expect(try other.receive(deadline: 5000) == nil)
    #expect(throws: HostError("receive control message", "", .timedOut)) {
      _ = try session.receive(deadline: 1)
    }
    withExtendedLifetime(channel) {}
  }

  @Test func `the end of one side is the end for the other`() async throws {
    let pair = try ControlChannel.pair()
    let channel = pair.agent
    do {
      let session = ControlSocket(adopting: pair.takeSession())
      try session.send([1])
    }
    var incoming = channel.incoming.makeAsyncIterator()
    #expect(await incoming.next()?.bytes == [1])
    #expect(await incoming.next() == nil)
    #expect(channel.failure == nil)
    #expect(throws: HostError("send control message", "", .brokenPipe)) { try channel.send([1]) }

    let other = try ControlChannel.pair()
    let agent = other.agent
    let session = ControlSocket(adopting: other.takeSession())
    agent.close()
    #expect(try session.receive(deadline: 5000) == nil)
    #expect(throws: HostError("send control message", "", .brokenPipe)) { try session.send([1]) }
  }

  @Test func `a session that does not read is told apart`() throws {
    let pair = try ControlChannel.pair()
    let channel = pair.agent
    let session = pair.takeSession()
    let bytes = [UInt8](repeating: 1, count: 200_000)
    #expect(throws: HostError("send control message", "", .resourceTemporarilyUnavailable)) {
      for _ in 0..<1000 { try channel.send(bytes) }
    }
    withExtendedLifetime(session.rawValue) {}
  }

  @Test func `an agent that does not read makes the session wait, to its deadline`() throws {
    var ends: [Int32] = [0, 0]
    try #require(socketpair(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue), 0, &ends) == 0)
    defer { close(ends[1]) }
    let session = ControlSocket(adopting: OwnedDescriptor(adopting: ends[0]))
    #expect(throws: HostError("send control message", "", .timedOut)) {
      for _ in 0..<1000 { try session.send([UInt8](repeating: 1, count: 50_000), deadline: 20) }
    }
  }

  @Test func `more messages than may wait all arrive, in order`() async throws {
    let pair = try ControlChannel.pair()
    let channel = pair.agent
    let session = SharedDescriptor(pair.takeSession())
    let count = 40 * HostLimits.waitingControlMessages
    let sender = Task {
      try await BlockingWork.run("test-session") { () throws(HostError) in
        let socket = ControlSocket(adopting: try session.duplicate())
        for number in 0..<count { try socket.send([UInt8(number & 0xFF), UInt8(number >> 8)]) }
      }
    }
    var incoming = channel.incoming.makeAsyncIterator()
    for number in 0..<count {
      let message = try #require(await incoming.next())
      #expect(message.bytes == [UInt8(number & 0xFF), UInt8(number >> 8)])
    }
    try await sender.value
  }

  @Test func `a session that ends while many messages wait is still read to its end`() async throws
  {
    let pair = try ControlChannel.pair()
    let channel = pair.agent
    let count = HostLimits.waitingControlMessages + 20
    do {
      let session = ControlSocket(adopting: pair.takeSession())
      for number in 0..<count { try session.send([UInt8(number)]) }
    }
    var numbers: [UInt8] = []
    for await message in channel.incoming { numbers += message.bytes }
    #expect(numbers == (0..<count).map { UInt8($0) })
    #expect(channel.failure == nil)
  }

  @Test func `descriptors of a message that nobody took are closed`() async throws {
    var ends: [Int32] = [0, 0]
    let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    try #require(socketpair(AF_UNIX, type, 0, &ends) == 0)
    defer { close(ends[0]) }
    do {
      let pair = try ControlChannel.pair()
      let channel = pair.agent
      let session = ControlSocket(adopting: pair.takeSession())
      try session.send([1], descriptors: [ends[1]])
      close(ends[1])
      channel.close()
    }
    var entry = pollfd(fd: ends[0], events: Int16(POLLIN), revents: 0)
    #expect(await OpenDescriptors.eventually { poll(&entry, 1, 0) == 1 })
  }
}
