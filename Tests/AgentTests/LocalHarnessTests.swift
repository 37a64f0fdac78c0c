// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import Attaching
import LinuxHost
import Sharing
import SystemPackage
import TestSupport
import Testing

@testable import Agent

/// What the local socket answers, whatever is asked.
@Suite struct LocalHarnessTests {
  static let stranger = PeerCredentials(uid: 54321, gid: 54321, pid: 7)

  @Test func aboutSaysWhoAnswers() async throws {
    let bench = try AgentBench()
    #expect(
      try await bench.reply(#"{"method":"org.devconfig.Agent.About"}"#) == """
        {"parameters":{"agent":"beta-agent","configuration":"/etc/c","host":"beta",\
        "version":"\(Product.version)"}}
        """)
  }

  @Test func anybodyMayList() async throws {
    let bench = try AgentBench()
    await bench.catalogue.found(AgentBench.remote(), source: "s1")
    let reply = try await bench.reply(
      #"{"method":"org.devconfig.Agent.List","parameters":{}}"#, from: Self.stranger)
    let devices = try Message.decodeReply(AgentCalls.ListResults.self, from: Array(reply.utf8))
      .parameters.devices
    #expect(devices.map(\.name) == ["Optical Storage"])
    #expect(devices.map(\.id) == [1])
  }

  @Test(arguments: [AgentCalls.up, AgentCalls.down, AgentCalls.name])
  func whoIsNotInTheGroupMayNotAttach(method: String) async throws {
    let bench = try AgentBench()
    await bench.catalogue.found(AgentBench.remote(), source: "s1")
    let error = try await bench.error(method, "1", from: Self.stranger)
    #expect(error.kind == .notPermitted)
    #expect(error.message == "54321 is not in the group devconfig")
    #expect(error.hint.contains("adduser"))
  }

  @Test func aNameIsGivenOnlyWhereItIsOne() async throws {
    let bench = try AgentBench()
    await bench.catalogue.found(AgentBench.remote(), source: "s1")
    func name(_ text: String) -> String {
      #"{"method":"org.devconfig.Agent.Name","parameters":{"device":"1","name":"\#(text)"}}"#
    }
    let reply = try await bench.reply(name("Burner"))
    #expect(reply.contains(#""name":"Burner""#))
    #expect(reply.contains(#""device_name":"Optical Storage""#))
    #expect(try await bench.reply(name("12")).contains("is a number, as IDs are"))
    #expect(await bench.catalogue.list().map(\.name) == ["Burner"])
  }

  @Test func onlyRootHasTheRulesReadAgain() async throws {
    let bench = try AgentBench()
    let call = #"{"method":"org.devconfig.Agent.Reload","parameters":{}}"#
    #expect(try await bench.reply(call, from: Self.stranger).contains("NotPermitted"))
    #expect(try await bench.reply(call) == #"{"parameters":{}}"#)
    try bench.tree.write("rules: all", to: "devconfig.yaml")
    #expect(try await bench.reply(call).contains("line 1: rules: a list"))
  }

  @Test func theRightIsAskedBeforeTheName() async throws {
    let bench = try AgentBench()
    #expect(
      try await bench.error(AgentCalls.up, "no such", from: Self.stranger).kind == .notPermitted)
  }

  @Test(arguments: [
    "", "garbage", "{}", "[]", #"{"method":7}"#, #"{"method":"org.devconfig.Agent.Format"}"#,
    #"{"method":""}"#, #"{"method":"org.devconfig.Agent.Up"}"#,
    #"{"method":"org.devconfig.Agent.Up","parameters":{"device":3}}"#,
    #"{"method":"org.devconfig.Agent.Down","parameters":{}}"#,
    #"{"method":"org.devconfig.Agent.Up","parameters":null}"#,
  ])
  func whatIsNotUnderstoodIsAnsweredWithAMismatch(message: String) async throws {
    let bench = try AgentBench()
    let reply = Array(try await bench.reply(message).utf8)
    let error = try #require(throws: AgentError.self) {
      _ = try Message.decodeReply(Nothing.self, from: reply)
    }
    #expect(error.kind == .protocolMismatch)
    // And the next call is answered.
    #expect(try await bench.reply(#"{"method":"org.devconfig.Agent.About"}"#).contains("beta"))
  }

  @Test func anUnknownCallSaysWhatToInstall() async throws {
    let bench = try AgentBench()
    let reply = try await bench.reply(#"{"method":"org.devconfig.Agent.Format"}"#)
    #expect(reply.contains(Product.version))
    #expect(reply.contains("org.devconfig.Agent.Format"))
    #expect(reply.contains("the same version"))
  }

  @Test(arguments: [AgentCalls.up, AgentCalls.down])
  func anUnknownDeviceIsUnknown(method: String) async throws {
    let bench = try AgentBench()
    let error = try await bench.error(method, "printer")
    #expect(error.kind == .unknownDevice)
    #expect(error.hint.contains("devconfig list"))
  }

  @Test func anAmbiguousNameBringsItsCandidates() async throws {
    let bench = try AgentBench()
    await bench.catalogue.found(AgentBench.remote(), source: "s1")
    await bench.catalogue.found(AgentBench.remote(id: "04bb:0147/2"), source: "s2")
    let error = try await bench.error(AgentCalls.up, "Optical")
    #expect(error.kind == .ambiguousDevice)
    #expect(error.candidates.map(\.id) == [1, 2])
  }

  @Test func withoutAControllerTheNextStepIsTold() async throws {
    let bench = try AgentBench()
    await bench.catalogue.found(AgentBench.remote(), source: "s1")
    let error = try await bench.error(AgentCalls.up, "1")
    #expect(error.kind == .kernelSupportMissing)
    #expect(error.hint.contains("linux-image-amd64"))
    #expect(error.hint.contains("6.1.0-56-cloud-amd64"))
  }

  @Test func aSessionThatCannotBeStartedIsAnError() async throws {
    let bench = try AgentBench()
    try bench.tree.addVirtualHost()
    await bench.catalogue.found(AgentBench.remote(), source: "s1")
    let error = try await bench.error(AgentCalls.up, "1")
    #expect(error.kind == .failed)
    #expect(error.message.contains("no-session"))
    #expect(await bench.undo.current.isEmpty)
    #expect(await bench.attachments.all().isEmpty)
  }

  @Test func aDeviceOfThisMachineIsUpAsItIs() async throws {
    let bench = try AgentBench()
    try bench.tree.add(DeviceSamples.disk())
    await bench.inventory.update(DeviceSamples.disk())
    for method in [AgentCalls.up, AgentCalls.down] {
      let outcome = try await bench.outcome(method, "Cruzer")
      #expect(!outcome.changed)
      #expect(outcome.device.isLocal)
    }
  }

  @Test func onlyRootTakesADeviceBackFromItsUser() async throws {
    let bench = try AgentBench()
    try bench.tree.add(DeviceSamples.disk())
    await bench.inventory.update(DeviceSamples.disk())
    await bench.catalogue.found(AgentBench.remote(), source: "s1")
    #expect(
      try await bench.error(AgentCalls.takeBack, "Cruzer", from: Self.stranger).kind
        == .notPermitted)
    #expect(try await bench.outcome(AgentCalls.takeBack, "Cruzer").changed == false)
    let error = try await bench.error(AgentCalls.takeBack, "Optical")
    #expect(error.message.hasSuffix("is plugged into another machine"))
  }

  @Test func downOfWhatIsDownChangesNothing() async throws {
    let bench = try AgentBench()
    await bench.catalogue.found(AgentBench.remote(), source: "s1")
    let outcome = try await bench.outcome(AgentCalls.down, "1")
    #expect(!outcome.changed)
    #expect(outcome.device.localState == .detached)
  }
}
