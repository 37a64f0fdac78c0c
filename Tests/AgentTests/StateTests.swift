// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import LinuxHost
import SystemPackage
import TestSupport
import Testing
import USBModel

@testable import Agent

/// What the agent writes down, and what the next one makes of it.
@Suite struct UndoFileTests {
  @Test func aRecordSurvivesTheAgent() async throws {
    let tree = try SysfsTree()
    let path = tree.run.appending("undo.json")
    let book = UndoFile(path: path)
    #expect(await book.current.isEmpty)
    try await book.change { record in
      record.ports.insert(7)
      record.claimed.insert(DeviceSamples.busID("1-1.2"))
    }
    let next = UndoFile(path: path)
    #expect(
      await next.current == UndoRecord(claimed: [DeviceSamples.busID("1-1.2")], ports: [7]))
    try await next.change { $0.ports.remove(7) }
    #expect(await UndoFile(path: path).current.ports.isEmpty)
    #expect(await UndoFile(path: path).current.claimed.count == 1)
  }

  @Test(arguments: ["", "garbage", #"{"claimed":["../etc"],"ports":[]}"#, #"{"ports":[1]}"#])
  func aBrokenFileCountsAsEmpty(content: String) async throws {
    let tree = try SysfsTree()
    try tree.write(content, to: "run/undo.json")
    let book = UndoFile(path: tree.run.appending("undo.json"))
    #expect(await book.current.isEmpty)
    try await book.change { $0.ports.insert(3) }
    #expect(await UndoFile(path: tree.run.appending("undo.json")).current.ports == [3])
  }

  @Test func whatCannotBeWrittenIsAnErrorAndNotRemembered() async throws {
    let tree = try SysfsTree()
    let book = UndoFile(path: tree.run.appending("undo.json"))
    tree.remove("run")
    let error = await #expect(throws: AgentError.self) {
      try await book.change { $0.ports.insert(3) }
    }
    #expect(error?.kind == .failed)
    #expect(error?.hint.isEmpty == false)
    #expect(await book.current.isEmpty)
    // Nothing to write is no error.
    try await book.change { $0.ports.remove(3) }
  }
}

@Suite struct CleanupTests {
  @Test func nothingRecordedIsNothingDone() async throws {
    let bench = try AgentBench()
    try bench.tree.addVirtualHost(portsPerHub: 2)
    await Cleanup(places: bench.places, undo: bench.undo, log: AgentBench.log).run()
    #expect(try bench.tree.takeDetach().isEmpty)
  }

  @Test func aRecordedPortIsDetached() async throws {
    let bench = try AgentBench()
    try bench.tree.addVirtualHost(portsPerHub: 2)
    try bench.tree.setVirtualPorts(
      (0..<4).map { number in
        VirtualPort(
          number: number, controller: 0, isSuperSpeed: number >= 2,
          state: number == 1 ? .used : .free, localBusID: DeviceSamples.busID("9-2"))
      })
    try await bench.undo.change { $0.ports = [0, 1] }
    await Cleanup(places: bench.places, undo: bench.undo, log: AgentBench.log).run()
    // Port 0 is free already and is left alone.
    #expect(try bench.tree.takeDetach() == "1")
    #expect(await bench.undo.current.isEmpty)
  }

  @Test func aRecordedDeviceThatIsGoneIsForgotten() async throws {
    let bench = try AgentBench()
    try await bench.undo.change { $0.claimed = [DeviceSamples.busID("1-1.2")] }
    await Cleanup(places: bench.places, undo: bench.undo, log: AgentBench.log).run()
    #expect(await bench.undo.current.isEmpty)
  }

  @Test func whatCannotBeUndoneStaysRecorded() async throws {
    let bench = try AgentBench()
    // No controller: its state cannot be read.
    try await bench.undo.change { $0.ports = [3] }
    await Cleanup(places: bench.places, undo: bench.undo, log: AgentBench.log).run()
    #expect(await bench.undo.current.ports == [3])
  }
}

@Suite struct AgentIdentityTests {
  @Test func theNameIsMadeOnceAndKept() throws {
    let bench = try AgentBench()
    let first = try AgentIdentity(places: bench.places)
    #expect(first.host == "beta")
    #expect(first.agent.utf8.count == 32)
    #expect(first.agent.allSatisfy { $0.isHexDigit })
    #expect(try AgentIdentity(places: bench.places) == first)
    let other = try AgentBench()
    #expect(try AgentIdentity(places: other.places).agent != first.agent)
  }

  @Test(arguments: ["", "short", "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"])
  func aBrokenNameIsReplaced(content: String) throws {
    let bench = try AgentBench()
    try bench.tree.write(content, to: "var/agent")
    let identity = try AgentIdentity(places: bench.places)
    #expect(identity.agent.utf8.count == 32)
    #expect(try bench.tree.read("var/agent") == identity.agent + "\n")
  }

  @Test func aNameThatCannotBeKeptIsAnError() throws {
    let bench = try AgentBench()
    bench.tree.remove("var")
    #expect(throws: HostError.self) { try AgentIdentity(places: bench.places) }
  }
}
