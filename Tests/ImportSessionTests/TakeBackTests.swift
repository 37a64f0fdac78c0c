// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import ImportSession
import SessionControl
import TestSupport
import Testing

@Suite("Import session: taking a device of this machine back")
struct TakeBackTests {
  private static func readCall(_ peer: borrowing LoopbackPeer) throws -> [UInt8] {
    var bytes: [UInt8] = []
    while bytes.last != 0 { bytes += try peer.receive(1) }
    return bytes.dropLast()
  }

  @Test("the importer is asked, and its notes are delivered", arguments: [nil, true])
  func takesBack(force: Bool?) async throws {
    let agent = try LoopbackPeerAgent()
    let error = try await exchange(.takeBack, door: .agent, force: force, agent: agent) { peer in
      let call = try Message.decode(
        Call<ImporterCalls.GiveBackParameters>.self, from: try TakeBackTests.readCall(peer))
      #expect(call.method == ImporterCalls.giveBack)
      #expect(call.upgrade != true)
      #expect(
        call.parameters
          == ImporterCalls.GiveBackParameters(
            exporter: "desk-7-agent", busid: "3-2.1", force: force))
      try peer.send(
        try Message.encode(
          Reply(ImporterCalls.GiveBackResults(notes: ["/mnt: everything is written", "\u{1B}\n"]))))
    }
    #expect(error == nil)
    let delivery = try #require(agent.received.first)
    #expect(delivery.method == SessionCalls.gaveBack)
    let call = try Message.decode(
      Call<ImporterCalls.GiveBackResults>.self, from: delivery.message)
    #expect(call.parameters.notes == ["/mnt: everything is written"])
  }

  @Test("notes are as many and as long as people read")
  func bounded() async throws {
    let agent = try LoopbackPeerAgent()
    let note = String(repeating: "ä", count: 5000)
    let error = try await exchange(.takeBack, door: .agent, agent: agent) { peer in
      _ = try TakeBackTests.readCall(peer)
      let notes = [String](repeating: note, count: 100)
      try peer.send(try Message.encode(Reply(ImporterCalls.GiveBackResults(notes: notes))))
    }
    #expect(error == nil)
    let message = try #require(agent.received.first?.message)
    let notes = try Message.decode(Call<ImporterCalls.GiveBackResults>.self, from: message)
      .parameters.notes
    #expect(notes.count == ImporterCalls.GiveBackResults.maximumNotes)
    #expect(notes.allSatisfy { $0.utf8.count == PeerText.maximumSentenceLength })
  }

  static let answers: [(bytes: [UInt8], kind: AgentError.Kind)] = [
    (
      Array(#"{"error":"org.devconfig.Importer.DeviceInUse","parameters":{"message":"m"}}"#.utf8)
        + [0], .inUse
    ),
    (
      Array(#"{"error":"org.devconfig.Importer.UnknownDevice","parameters":{"message":"m"}}"#.utf8)
        + [0], .unknownDevice
    ),
    (
      Array(
        #"{"error":"org.devconfig.Exporter.ProtocolMismatch","parameters":{"message":"m"}}"#.utf8)
        + [0], .protocolMismatch
    ),
    (Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8), .protocolMismatch),
    (Array("{}".utf8) + [0], .protocolMismatch),
    ([], .protocolMismatch),
  ]

  @Test("what it does not do is told", arguments: answers.indices)
  func refused(index: Int) async throws {
    let agent = try LoopbackPeerAgent()
    let error = try await exchange(.takeBack, door: .agent, agent: agent) { peer in
      _ = try TakeBackTests.readCall(peer)
      try peer.send(TakeBackTests.answers[index].bytes)
    }
    #expect(error?.kind == TakeBackTests.answers[index].kind)
    #expect(agent.received.isEmpty)
  }
}
