// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import ArgumentParser
import TestSupport
import Testing

@testable import DevconfigCommands

@Suite(.timeLimit(.minutes(1))) struct WaitTests {
  /// Waits with these arguments; `connect` gives the agent at each try.
  func wait(
    _ arguments: [String], _ connect: () throws(AgentAbsence) -> any AgentClient
  ) throws -> (RecordingConsole, AgentAPI.ExitCode) {
    let verb = try #require(try Devconfig.parseAsRoot(["wait"] + arguments) as? WaitVerb)
    var console: any Console = RecordingConsole()
    let code = try verb.wait(&console, every: 1, connect: connect)
    return (try #require(console as? RecordingConsole), code)
  }

  @Test func itReturnsOnceTheDeviceIsAttachedWhateverIsMissingBefore() throws {
    var tries = 0
    let client = FakeAgentClient([DeviceSamples.mouseStatus])
    client.onList = { count throws(AgentError) in
      switch count {
      case 1: throw AgentError(.failed, "the agent closed the connection")
      case 4: _ = try client.up("2", keep: true)
      default: break
      }
    }
    let (console, code) = try wait(["gamma/M4848"]) { () throws(AgentAbsence) in
      tries += 1
      guard tries > 2 else { throw AgentAbsence(message: "none", hint: "") }
      return client
    }
    #expect(code == .success)
    #expect(console.data == ["2: Logitech M4848 on gamma: attached, /dev/sr1, /dev/sg2"])
    #expect(console.talk.isEmpty)
    #expect(tries == 4)
  }

  @Test func whatIsNotThereInTimeIsToldWithItsReason() throws {
    var lost = DeviceSamples.mouseStatus
    lost.localState = .retrying
    lost.reason = "next try in 4 s: gamma does not answer"
    let (console, code) = try wait(["--timeout", "0", "2"]) { () throws(AgentAbsence) in
      FakeAgentClient([lost])
    }
    #expect(code == .timedOut)
    #expect(console.data.isEmpty)
    #expect(
      console.talk == [
        "devconfig: 2 was not there in time: next try in 4 s: gamma does not answer"
      ])
  }

  @Test func aDeviceOfThisMachineIsThereAndTwoAreTooMany() throws {
    let devices = [DeviceSamples.mountedStatus, DeviceSamples.mouseStatus]
    #expect(
      try wait(["12"]) { () throws(AgentAbsence) in FakeAgentClient(devices) }.1 == .success)
    let both = try wait(["e"]) { () throws(AgentAbsence) in FakeAgentClient(devices) }
    #expect(both.1 == .ambiguousDevice)
    #expect(both.0.talk.first == "devconfig: e names 2 devices")
  }

  @Test(arguments: ["-1", "86401", "soon"]) func aTimeoutThatIsNone(text: String) {
    #expect(throws: (any Error).self) {
      try Devconfig.parseAsRoot(["wait", "--timeout", text, "2"])
    }
  }
}
