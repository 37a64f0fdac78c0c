// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import ExportSession
import TestSupport
import Testing
import USBIPWire
import USBModel

@Suite("Operation phase: our own agents")
struct AgentDoorTests {
  private static func call(
    busID: String = "3-2.1", user: String = "ann", host: String = "desk-7", upgrade: Bool = true
  ) throws -> [UInt8] {
    try Message.encode(
      Call(
        ExporterCalls.importDevice,
        ExporterCalls.ImportParameters(busid: busID, user: user, host: host), upgrade: upgrade))
  }

  /// The message up to its NUL, without it.
  private static func message(_ peer: borrowing LoopbackPeer) throws -> [UInt8] {
    var bytes: [UInt8] = []
    while true {
      let byte = try peer.receive(1)[0]
      if byte == 0 { return bytes }
      bytes.append(byte)
    }
  }

  @Test("an import says who wants it, and the connection goes on as USB/IP")
  func importDevice() async throws {
    let end = try await withSession { peer, harness in
      try peer.send(try AgentDoorTests.call())
      let reply = try Message.decodeReply(
        ExporterCalls.ImportResults.self, from: try AgentDoorTests.message(peer))
      #expect(reply.parameters.device == VirtualDevice.description())
      #expect(
        harness.acquired
          == [SessionCalls.AcquireParameters(busID: "3-2.1", user: "ann", host: "desk-7")])
      try peer.submitIn(1, 4, length: 2)
      #expect(try peer.answer() == .submit(1, 0, 2, [0, 7]))
    }
    #expect(end == .peerClosed)
  }

  @Test("commands behind the call are carried out after the reply")
  func pipelined() async throws {
    let end = try await withSession { peer, _ in
      let submit = Submit(seqnum: 1, devid: peer.devid, isIn: true, endpoint: 4, length: 2)
      try peer.send(try AgentDoorTests.call() + peer.encoded(submit))
      _ = try AgentDoorTests.message(peer)
      #expect(try peer.answer() == .submit(1, 0, 2, [0, 7]))
    }
    #expect(end == .peerClosed)
  }

  @Test("names are made printable and bounded before anybody sees them")
  func names() async throws {
    let long = String(repeating: "x", count: 5000)
    let end = try await withSession { peer, harness in
      try peer.send(try AgentDoorTests.call(user: "a\u{1B}[31mn\n", host: long))
      _ = try AgentDoorTests.message(peer)
      #expect(harness.acquired.first?.user == "a[31mn")
      #expect(harness.acquired.first?.host == String(repeating: "x", count: 128))
    }
    #expect(end == .peerClosed)
  }

  static let refusals: [AgentError] = [
    AgentError(.inUse, "3-2.1 is in use by bob@desk-2"),
    AgentError(.denied, "keyboards stay here"),
    AgentError(.unknownDevice, "there is no device 3-2.1"),
  ]

  @Test("a refusal brings its kind and its words", arguments: refusals)
  func refused(error: AgentError) async throws {
    let end = try await withSession(answer: .error(error)) { peer, _ in
      try peer.send(try AgentDoorTests.call())
      let reply = try Message.decode(ErrorReply.self, from: try peer.receiveAll().dropLast())
      #expect(reply.error == "org.devconfig.Exporter.\(error.kind.rawValue)")
      #expect(reply.agentError == error)
    }
    #expect(end == .answered)
  }

  @Test("a call that is not this one is refused in words")
  func otherCalls() async throws {
    let calls = [
      try AgentDoorTests.call(upgrade: false),
      try Message.encode(Call("org.varlink.service.GetInfo", Nothing())),
      Array(#"{"method":"org.devconfig.Exporter.Import","upgrade":true}"#.utf8) + [0],
      Array(#"{"no":"method"}"#.utf8) + [0],
      Array("{nonsense".utf8) + [0],
      // Deep enough to exhaust the stack of a parser that trusts it.
      Array(#"{"a":"#.utf8) + [UInt8](repeating: UInt8(ascii: "["), count: 1_000_000) + [0],
    ]
    for call in calls {
      let end = try await withSession { peer, harness in
        try peer.send(call)
        let reply = try Message.decode(ErrorReply.self, from: try peer.receiveAll().dropLast())
        #expect(reply.error == "org.devconfig.Exporter.ProtocolMismatch")
        #expect(harness.acquired.isEmpty)
      }
      #expect(end == .answered)
    }
  }

  @Test("a bus ID that is none is no device")
  func unnameable() async throws {
    let end = try await withSession { peer, harness in
      try peer.send(try AgentDoorTests.call(busID: "../../../dev/sda"))
      let reply = try Message.decode(ErrorReply.self, from: try peer.receiveAll().dropLast())
      #expect(reply.error == "org.devconfig.Exporter.UnknownDevice")
      #expect(harness.acquired.isEmpty)
    }
    #expect(end == .answered)
  }

  @Test("a call without end is cut off at the limit")
  func endless() async throws {
    let end = try await withSession { peer, _ in
      let raw = peer.rawValue
      BackgroundThread.start {
        writeAll(raw, [UInt8](repeating: UInt8(ascii: "{"), count: 4 * Message.maximumLength))
      }
      let reply = try peer.receiveAll()
      #expect(reply.isEmpty)
    }
    #expect(end == .malformedCall)
  }

  @Test("a call in single bytes is the same call")
  func singleBytes() async throws {
    let end = try await withSession { peer, _ in
      try peer.trickle(try AgentDoorTests.call())
      _ = try AgentDoorTests.message(peer)
    }
    #expect(end == .peerClosed)
  }
}
