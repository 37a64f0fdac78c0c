// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import LinuxHost
import SystemPackage
import TestSupport
import Testing
import USBModel

extension Processes {
  /// What people do wrong: each gets a message, the next step, and its documented exit code.
  @Suite(.timeLimit(.minutes(1))) struct MistakesTests {
    @Test(arguments: [
      ["list"], ["up", "1"], ["down", "1"], ["status"],
      ["capture", "1", "/nonexistent/file"],
    ])
    func withoutAnAgent(arguments: [String]) async throws {
      let machine = try Machine()
      let run = try await machine.run(Machine.programs.appending("devconfig"), arguments)
      #expect(run.code == .noAgent)
      #expect(run.data == [])
      #expect(run.talk.first?.contains("devconfigd does not run on this machine") == true)
      #expect(run.talk.last == "  start it with: systemctl start devconfigd")
    }

    @Test(arguments: [["list"], ["up", "1"], ["name", "1", "x"], ["unshare", "1"]])
    func withoutAnAgentAProgramIsToldInJSON(arguments: [String]) async throws {
      let machine = try Machine()
      let run = try await machine.run(
        Machine.programs.appending("devconfig"), arguments + ["--json"])
      #expect(run.code == .noAgent)
      #expect(run.data == [])
      #expect(run.talk.count == 1)
      #expect(run.words.hasPrefix(#"{"error":{"exit_status":7,"hint":"start it with"#))
      #expect(run.words.contains(#""kind":"NoAgent""#))
      #expect(run.words.contains(#""schema":"devconfig-error/1"}"#))
    }

    @Test func withASocketThatADeadAgentLeft() async throws {
      let machine = try Machine()
      let agent = try await machine.startAgent()
      agent.signal(9)
      #expect(try await agent.ended() == 128 + 9)
      #expect(try await machine.devconfig("list").code == .noAgent)
      // And the next agent is not kept out by it.
      try await machine.startAgent()
      #expect(try await machine.devconfig("list").code == .success)
    }

    @Test func aWrongCommandLine() async throws {
      let machine = try Machine()
      for arguments in [["up"], ["list", "--nonsense"], ["plug", "1"]] {
        let run = try await machine.run(Machine.programs.appending("devconfig"), arguments)
        #expect(run.code == .usage)
        #expect(run.data == [])
        #expect(run.words.hasPrefix("Error: "))
      }
    }

    @Test func aWrongVerb() async throws {
      let machine = try Machine()
      for (word, meant) in [("lsit", "list"), ("attach", "up")] {
        let run = try await machine.run(Machine.programs.appending("devconfig"), [word, "1"])
        #expect(run.code == .usage)
        #expect(run.data == [])
        #expect(run.talk.first == "Error: There is no verb '\(word)'; try: devconfig \(meant).")
      }
    }

    @Test func unknownAndAmbiguousDevices() async throws {
      let exporter = try ScriptedExporter([
        DeviceSamples.disk("1-1"), DeviceSamples.disk("1-2"), DeviceSamples.mouse("2-3"),
      ])
      let machine = try Machine(peers: [exporter.port])
      let agent = try await machine.startAgent()
      _ = try await machine.list { $0.count == 3 }

      for arguments in [
        ["up", "printer"], ["down", "printer"], ["list", "printer"], ["up", "99"],
      ] {
        let run = try await machine.run(Machine.programs.appending("devconfig"), arguments)
        guard Machine.isRoot || arguments[0] == "list" else { continue }
        #expect(run.code == .unknownDevice)
        #expect(run.data == [])
        #expect(run.talk.first == "devconfig: no device is named \(arguments[1])")
        #expect(run.words.contains("devconfig list"))
      }
      for verb in ["list", "up", "down"] where Machine.isRoot || verb == "list" {
        let run = try await machine.devconfig(verb, "0781:5567")
        #expect(run.code == .ambiguousDevice)
        #expect(run.data == [])
        #expect(run.talk.first == "devconfig: 0781:5567 names 2 devices")
        #expect(run.talk.count { $0.contains("USB device 0781:5567") } == 2)
        #expect(run.words.contains("ID"))
      }
      // Nothing was asked of the exporter, and the agent goes on.
      #expect(!exporter.log.events.contains { if case .asked = $0 { true } else { false } })
      #expect(try await machine.devconfig("list").code == .success)
      agent.signal(15)
      #expect(try await agent.ended() == 0)
    }

    @Test(.enabled(if: OtherUser.canRun, "needs root, and programs that others may run"))
    func withoutTheRight() async throws {
      let exporter = try ScriptedExporter([DeviceSamples.disk("1-1")])
      let machine = try Machine(peers: [exporter.port])
      try OtherUser.open(machine)
      try await machine.startAgent()
      _ = try await machine.list { $0.count == 1 }
      let list = try await machine.devconfigAsOther("list")
      #expect(list.code == .success)
      #expect(list.data.count == 2)
      for verb in [["up", "1"], ["down", "1"], ["status"], ["capture", "1", "-"]] {
        let run = try await machine.devconfigAsOther(verb)
        #expect(run.code == .notPermitted)
        #expect(run.data == [])
        #expect(run.talk.first?.hasSuffix("is not in the group devconfig") == true)
        #expect(run.talk.last?.contains("adduser") == true)
      }
      // It is asked for its list every ten seconds; nothing else may be asked.
      #expect(exporter.log.events.allSatisfy { $0 == .listed })
    }

    @Test(.enabled(if: OtherUser.canRun, "needs root, and programs that others may run"))
    func withASocketBehindAClosedFolder() async throws {
      let machine = try Machine()
      try await machine.startAgent()
      let run = try await machine.devconfigAsOther("list")
      #expect(run.code == .notPermitted)
      #expect(run.talk.first?.contains("agent.sock cannot be reached (Permission denied)") == true)
      #expect(run.talk.last?.contains("namei -l") == true)
    }

    @Test func aConfigurationThatIsWrong() async throws {
      let machine = try Machine()
      try machine.tree.write("port: 3240\npers:\n  - alpha\n", to: "etc/devconfig.yaml")
      let agent = try await machine.launchAgent()
      #expect(try await agent.ended() == 78)
      let words = agent.talk.joined(separator: "\n")
      #expect(words.contains("etc/devconfig.yaml: line 2: unknown key pers"))
      #expect(words.contains("allowed are port, peers and rules"))
    }

    @Test func twoAgentsInOnePlace() async throws {
      let machine = try Machine()
      let first = try await machine.startAgent()
      let second = try await machine.launchAgent()
      #expect(try await second.ended() == 1)
      #expect(second.talk.joined().contains("agent.sock: Address already in use"))
      #expect(try await machine.devconfig("list").code == .success)
      first.signal(15)
      #expect(try await first.ended() == 0)
    }

    @Test func aPlaceThatIsNotThere() async throws {
      let machine = try Machine()
      machine.tree.remove("var")
      let agent = try await machine.launchAgent()
      #expect(try await agent.ended() == 1)
      #expect(agent.talk.joined().contains("No such file or directory"))
      #expect(!agent.talk.joined().contains("Fatal"))
    }
  }
}
