// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import TestSupport
import Testing

@Suite struct MessageTests {
  typealias SelectionCall = Call<AgentCalls.UpParameters>

  /// The text of an encoded message without its NUL.
  static func text(_ value: some Encodable) throws -> String {
    let bytes = try Message.encode(value)
    #expect(bytes.last == 0)
    #expect(bytes.count { $0 == 0 } == 1)
    return String(decoding: bytes.dropLast(), as: UTF8.self)
  }

  @Test func aMessageEndsWithItsOnlyNUL() throws {
    let text = try Self.text(AgentCalls.UpParameters(device: "a\u{0}b"))
    #expect(text == #"{"device":"a\u0000b"}"#)
  }

  @Test func aMessageThatIsTooLongIsNotEncoded() throws {
    let long = String(repeating: "x", count: Message.maximumLength)
    let error = try #require(throws: AgentError.self) {
      _ = try Message.encode(AgentCalls.UpParameters(device: long))
    }
    #expect(error.kind == .protocolMismatch)
  }

  @Test func aListOfTheMostDevicesFits() throws {
    let devices = [DeviceStatus](repeating: DeviceSamples.opticalStatus, count: 4096)
    let bytes = try Message.encode(Reply(AgentCalls.ListResults(devices: devices)))
    let reply = try Message.decodeReply(AgentCalls.ListResults.self, from: bytes.dropLast())
    #expect(reply.parameters.devices == devices)
  }

  @Test(arguments: [
    "", " ", "{", "}", "[]", "null", "true", "7", #""text""#, #"{"method":7}"#,
    #"{"method":null}"#, #"{"METHOD":"a.b"}"#, #"{"method":"a.b"}x"#, #"{"method":"a.b",}"#,
    #"{'method':'a.b'}"#, #"{"method":"a"#, #"{"method":"\ud800"}"#,
  ])
  func whatIsNoCallIsAMismatch(text: String) throws {
    let error = try #require(throws: AgentError.self) {
      _ = try Message.decode(SelectionCall.self, from: Array(text.utf8))
    }
    #expect(error.kind == .protocolMismatch)
    #expect(!error.message.isEmpty)
  }

  @Test(
    arguments: [
      [0x7B, 0x22, 0x6D, 0xFF, 0xFE, 0x22, 0x7D],
      [0xEF, 0xBB, 0xBF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF5, 0x80, 0x80, 0x80], [0x80],
      [0xFF, 0xFE, 0x7B, 0x00], [0x00, 0x00, 0xFE, 0xFF],
    ] as [[UInt8]])
  func bytesThatAreNoUTF8AreAMismatch(bytes: [UInt8]) {
    #expect(throws: AgentError.self) { try Message.decode(CallHead.self, from: bytes) }
  }

  @Test func invalidUTF8InsideAStringIsAMismatch() {
    let bytes = Array(#"{"method":""#.utf8) + [0xC3, 0x28] + Array(#""}"#.utf8)
    #expect(throws: AgentError.self) { try Message.decode(CallHead.self, from: bytes) }
  }

  @Test(arguments: ["[", #"{"method":"#, #"{"parameters":["#])
  func deepNestingIsAMismatchNotACrash(opening: String) {
    let text = String(repeating: opening, count: Message.maximumLength / opening.utf8.count)
    #expect(throws: AgentError.self) { try Message.decode(CallHead.self, from: Array(text.utf8)) }
  }

  @Test func randomBytesNeverTrap() throws {
    var generator = SplitMix(state: 0x1234_5678_9ABC_DEF0)
    var framer = MessageFramer()
    var messages = 0
    for _ in 0..<1000 {
      try framer.append((0..<100).map { _ in UInt8.random(in: 0...255, using: &generator) })
      while let message = try framer.next() {
        messages += 1
        #expect(throws: AgentError.self) { try Message.decode(CallHead.self, from: message) }
      }
    }
    #expect(messages > 100)
  }

  /// Random changes of a real message reach deeper into the decoder than noise does.
  @Test func changedMessagesNeverTrap() throws {
    var generator = SplitMix(state: 42)
    let original = try Message.encode(
      Reply(AgentCalls.ListResults(devices: [DeviceSamples.opticalStatus])))
    var understood = 0
    for _ in 0..<5000 {
      var bytes = original.dropLast()
      for _ in 0..<Int.random(in: 1...3, using: &generator) {
        let index = Int.random(in: bytes.indices, using: &generator)
        bytes[index] = UInt8.random(in: 1...255, using: &generator)
      }
      if (try? Message.decodeReply(AgentCalls.ListResults.self, from: bytes)) != nil {
        understood += 1
      }
    }
    #expect(understood > 0 && understood < 5000)
  }
}

/// A small random source with a seed, so that a failure can be repeated (splitmix64).
struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
