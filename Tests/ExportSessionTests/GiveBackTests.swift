// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import SessionControl
import TestSupport
import Testing

@testable import ExportSession

@Suite("Export session: the machine of an attached device wants it back")
struct GiveBackTests {
  private static func call(
    exporter: String = "alpha-agent", busID: String = "3-2.1", force: Bool? = nil
  ) throws -> [UInt8] {
    try Message.encode(
      Call(
        ImporterCalls.giveBack,
        ImporterCalls.GiveBackParameters(exporter: exporter, busid: busID, force: force)))
  }

  @Test("the agent is asked, and its notes go back", arguments: [nil, true])
  func passedOn(force: Bool?) async throws {
    let end = try await withSession { peer, harness in
      try peer.send(try GiveBackTests.call(force: force))
      let reply = try Message.decodeReply(
        ImporterCalls.GiveBackResults.self, from: try peer.receiveAll().dropLast())
      #expect(reply.parameters.notes == SessionHarness.notes)
      #expect(
        harness.asked == [
          ImporterCalls.GiveBackParameters(exporter: "alpha-agent", busid: "3-2.1", force: force)
        ])
      #expect(harness.acquired.isEmpty)
    }
    #expect(end == .answered)
  }

  @Test("a refusal brings its kind and its words")
  func refused() async throws {
    let error = AgentError(.inUse, "Disk is in use on beta: /dev/sda is mounted on /mnt")
    let end = try await withSession(answer: .error(error)) { peer, _ in
      try peer.send(try GiveBackTests.call())
      let reply = try Message.decode(ErrorReply.self, from: try peer.receiveAll().dropLast())
      #expect(reply.error == "org.devconfig.Importer.DeviceInUse")
      #expect(reply.agentError == error)
    }
    #expect(end == .answered)
  }

  static let unknown: [[UInt8]] = [
    Array(#"{"method":"org.devconfig.Importer.GiveBack"}"#.utf8) + [0],
    Array(#"{"method":"org.devconfig.Importer.GiveBack","parameters":{"busid":1}}"#.utf8) + [0],
    Array(
      #"{"method":"org.devconfig.Importer.GiveBack","parameters":{"busid":"../1","exporter":"a"}}"#
        .utf8) + [0],
  ]

  @Test("what names no device asks the agent for nothing", arguments: unknown.indices)
  func nameless(index: Int) async throws {
    let end = try await withSession { peer, harness in
      try peer.send(GiveBackTests.unknown[index])
      let reply = try Message.decode(ErrorReply.self, from: try peer.receiveAll().dropLast())
      #expect(reply.error.hasPrefix("org.devconfig.Importer."))
      #expect(harness.asked.isEmpty)
    }
    #expect(end == .answered)
  }

  @Test("names are made printable and bounded before the agent sees them")
  func names() async throws {
    let long = "a\u{1B}[31m" + String(repeating: "x", count: 5000)
    let end = try await withSession { peer, harness in
      try peer.send(try GiveBackTests.call(exporter: long))
      _ = try peer.receiveAll()
      #expect(harness.asked.first?.exporter.utf8.count == RemoteUser.maximumLength)
      #expect(harness.asked.first?.exporter.hasPrefix("a[31mx") == true)
    }
    #expect(end == .answered)
  }
}
