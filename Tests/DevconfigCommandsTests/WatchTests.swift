// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import ArgumentParser
import LinuxHost
import TestSupport
import Testing

@testable import DevconfigCommands

@Suite(.timeLimit(.minutes(1))) struct WatchTests {
  static let devices = [DeviceSamples.mouseStatus, DeviceSamples.opticalStatus]

  /// Watches until the client's own `onList` says stop; `again` is what a new connection gets.
  func watch(
    _ client: FakeAgentClient, asTable: Bool, again: FakeAgentClient? = nil,
    stop: borrowing EventCounter
  ) throws -> RecordingConsole {
    let verb = try #require(try Devconfig.parseAsRoot(["watch"]) as? WatchVerb)
    var agent: any AgentClient = client
    var console: any Console = RecordingConsole()
    try verb.watch(
      &agent, &console, asTable: asTable, until: stop.rawValue, every: 1
    ) { () throws(AgentAbsence) in
      guard let again else { throw AgentAbsence(message: "none", hint: "") }
      return again
    }
    return try #require(console as? RecordingConsole)
  }

  @Test func everyChangeIsOneLineOfJSONAndNothingElse() throws {
    let stop = try EventCounter()
    let client = FakeAgentClient(Self.devices)
    client.onList = { count throws(AgentError) in
      if count == 4 { _ = try client.up("2", keep: false) }
      if count == 8 { stop.signal() }
    }
    let console = try watch(client, asTable: false, stop: stop)
    #expect(console.data.count == 2)
    #expect(console.data.first == (try DeviceJSON.text(Self.devices)))
    #expect(console.data.last?.contains("CONN_DONE") == true)
    #expect(console.talk.isEmpty)
  }

  @Test func aTerminalGetsTheTableInItsPlace() throws {
    let stop = try EventCounter()
    let client = FakeAgentClient(Self.devices)
    client.onList = { (_) throws(AgentError) in stop.signal() }
    let console = try watch(client, asTable: true, stop: stop)
    let lines = DeviceTable.lines(Self.devices)
    #expect(console.data == ["\u{1B}[H\u{1B}[J" + lines[0]] + lines.dropFirst())
  }

  @Test func anAgentThatGoesAwayIsWaitedFor() throws {
    let stop = try EventCounter()
    let client = FakeAgentClient(Self.devices)
    client.onList = { count throws(AgentError) in
      if count > 1 { throw AgentError(.failed, "the agent closed the connection") }
    }
    let again = FakeAgentClient(Self.devices)
    again.onList = { count throws(AgentError) in if count == 3 { stop.signal() } }
    let console = try watch(client, asTable: false, again: again, stop: stop)
    #expect(console.talk == ["the agent is away, waiting for it"])
    // Shown again: what happened meanwhile is not known.
    #expect(console.data.count == 2)
  }
}
