// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import Testing

@Suite struct MessageFramerTests {
  static let first = Array(#"{"method":"a.b.C"}"#.utf8)
  static let second = Array(#"{"error":"x"}"#.utf8)

  /// All whole messages that are in `framer` now.
  static func drain(_ framer: inout MessageFramer) throws -> [[UInt8]] {
    var messages: [[UInt8]] = []
    while let message = try framer.next() { messages.append(message) }
    return messages
  }

  @Test func aMessageInPiecesOfOneByteComesWhole() throws {
    var framer = MessageFramer()
    for byte in Self.first {
      try framer.append([byte])
      #expect(try framer.next() == nil)
    }
    try framer.append([0])
    #expect(try framer.next() == Self.first)
    #expect(try framer.next() == nil)
    #expect(framer.pendingBytes.isEmpty)
  }

  @Test func severalMessagesInOnePieceComeInOrder() throws {
    var framer = MessageFramer()
    try framer.append(Self.first + [0] + Self.second + [0] + Self.first.prefix(5))
    #expect(try Self.drain(&framer) == [Self.first, Self.second])
    #expect(framer.pendingBytes == Array(Self.first.prefix(5)))
    try framer.append(Self.first.dropFirst(5) + [0])
    #expect(try Self.drain(&framer) == [Self.first])
  }

  @Test(arguments: 1...7)
  func whereThePiecesAreCutDoesNotMatter(size: Int) throws {
    let stream = Self.first + [0] + Self.second + [0] + [0] + Self.first + [0]
    var framer = MessageFramer()
    var messages: [[UInt8]] = []
    for start in stride(from: 0, to: stream.count, by: size) {
      try framer.append(stream[start..<min(start + size, stream.count)])
      messages += try Self.drain(&framer)
    }
    #expect(messages == [Self.first, Self.second, [], Self.first])
  }

  @Test func bytesBehindTheLastMessageStayForAnUpgradedConnection() throws {
    var framer = MessageFramer()
    try framer.append(Self.first + [0, 0xDE, 0xAD, 0xBE])
    #expect(try framer.next() == Self.first)
    #expect(framer.pendingBytes == [0xDE, 0xAD, 0xBE])
  }

  @Test func aNULAloneIsAnEmptyMessageThatDecodesToNothing() throws {
    var framer = MessageFramer()
    try framer.append([0])
    let message = try #require(try framer.next())
    #expect(message.isEmpty)
    #expect(throws: AgentError.self) { try Message.decode(CallHead.self, from: message) }
  }

  @Test func aMessageOfTheGreatestLengthPasses() throws {
    var framer = MessageFramer()
    let longest = [UInt8](repeating: 0x61, count: Message.maximumLength)
    try framer.append(longest)
    #expect(try framer.next() == nil)
    try framer.append([0])
    #expect(try framer.next()?.count == Message.maximumLength)
  }

  @Test func aMessageThatIsTooLongIsRefusedBeforeItsEndIsThere() throws {
    var framer = MessageFramer()
    try framer.append([UInt8](repeating: 0x61, count: Message.maximumLength + 1))
    let error = try #require(throws: AgentError.self) { _ = try framer.next() }
    #expect(error.kind == .protocolMismatch)
  }

  @Test func aMessageThatIsTooLongIsRefusedWithItsEndToo() throws {
    var framer = MessageFramer()
    try framer.append([UInt8](repeating: 0x61, count: Message.maximumLength + 1) + [0])
    #expect(throws: AgentError.self) { _ = try framer.next() }
  }

  @Test func whatIsKeptUnreadIsBounded() throws {
    var framer = MessageFramer()
    let piece = [UInt8](repeating: 0x61, count: Message.maximumLength)
    try framer.append(piece)
    try framer.append(piece)
    #expect(throws: AgentError.self) { try framer.append([0x61]) }
  }

  /// A million empty messages in one buffer must not cost a million moves of the buffer.
  @Test func aFloodOfNULsIsTakenInTimeLinearInItsLength() throws {
    let length = Message.maximumLength / 2
    var framer = MessageFramer()
    try framer.append([UInt8](repeating: 0, count: length))
    let start = ContinuousClock.now
    var count = 0
    while try framer.next() != nil { count += 1 }
    #expect(count == length)
    #expect(ContinuousClock.now - start < .seconds(6))
  }
}
