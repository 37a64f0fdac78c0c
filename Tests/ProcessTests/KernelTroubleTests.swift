// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import SystemPackage
import TestSupport
import Testing
import USBModel

extension Processes {
  /// Kernels that lack what is needed, or refuse.
  @Suite(
    .timeLimit(.minutes(1)), .enabled(if: Machine.mayAttach, "needs root and libFakeKernelHooks.so")
  )
  struct KernelTroubleTests {
    /// A machine whose agent has listed the one disk of an exporter.
    func ready(
      _ prepare: (Machine) throws -> FakeKernel?
    ) async throws -> (Machine, ScriptedExporter, FakeKernel?, Program) {
      let exporter = try ScriptedExporter([DeviceSamples.disk("1-1")])
      let machine = try Machine(peers: [exporter.port])
      let kernel = try prepare(machine)
      let agent = try await machine.startAgent(kernel: kernel)
      _ = try await machine.list { $0.contains { !$0.isLocal } }
      return (machine, exporter, kernel, agent)
    }

    @Test func withoutVHCI() async throws {
      let (machine, exporter, _, _) = try await ready { _ in nil }
      let run = try await machine.devconfig("up", "1")
      #expect(run.code == .kernelSupportMissing)
      #expect(run.talk.first?.contains("no vhci_hcd") == true)
      #expect(
        run.talk.last == "  the cloud kernel 6.1.0-56-cloud-amd64 has no USB: "
          + "apt install linux-image-amd64, then reboot into it")
      // Nobody's device was taken for a machine that cannot use it.
      // It is asked for its list every ten seconds; nothing else may be asked.
      #expect(exporter.log.events.allSatisfy { $0 == .listed })
    }

    @Test func withoutAFreePort() async throws {
      let (machine, exporter, kernel, _) = try await ready { machine in
        try FakeKernel(machine.tree, taken: [0, 1])
      }
      let run = try await machine.devconfig("up", "1")
      #expect(run.code == .noFreePort)
      #expect(run.talk.first?.contains("all high-speed ports of vhci_hcd are in use") == true)
      #expect(run.talk.last?.contains("devconfig down") == true)
      #expect(kernel?.log.events == [])
      try await exporter.log.wait { $0.contains(.closed) }
    }

    @Test func aPortThatAnotherProgramTakesFirst() async throws {
      let (machine, exporter, kernel, _) = try await ready { machine in
        let kernel = try FakeKernel(machine.tree)
        kernel.contest([0])
        return kernel
      }
      let run = try await machine.devconfig("up", "1")
      #expect(run.code == .success)
      #expect(kernel?.log.events.last == .attached(port: 1, device: 0x0001_0004, speed: 3))
      #expect(try machine.tree.read("run/undo.json") == #"{"claimed":[],"ports":[1]}"#)
      #expect(!exporter.log.events.contains(.closed))
    }

    @Test func aKernelThatRefuses() async throws {
      let (machine, exporter, kernel, agent) = try await ready { machine in
        try FakeKernel(machine.tree)
      }
      kernel?.refuse(with: .invalidArgument)
      let run = try await machine.devconfig("up", "1")
      #expect(run.code == .failure)
      #expect(run.talk.first?.contains("the kernel did not take") == true)
      #expect(run.talk.last?.contains("journalctl -k") == true)
      try await exporter.log.wait { $0.contains(.closed) }
      #expect(try machine.tree.read("run/undo.json") == #"{"claimed":[],"ports":[]}"#)

      kernel?.refuse(with: nil)
      #expect(try await machine.devconfig("up", "1").code == .success)
      agent.signal(15)
      #expect(try await agent.ended() == 0)
    }

    @Test(.enabled(if: OtherUser.canRun, "needs programs that others may run"))
    func anAgentWithoutTheRight() async throws {
      let exporter = try ScriptedExporter([DeviceSamples.disk("1-1")])
      let machine = try Machine(peers: [exporter.port])
      try machine.tree.addVirtualHost(portsPerHub: 2)
      try OtherUser.give(machine)
      let agent = try await machine.startAgent(user: OtherUser.options)
      _ = try await machine.list { $0.count == 1 }
      let run = try await machine.devconfig("up", "1")
      #expect(run.code == .notPermitted)
      #expect(run.talk.first?.contains("devconfigd has not the right") == true)
      #expect(run.talk.last?.contains("systemctl start devconfigd") == true)
      #expect(try await machine.devconfig("list").code == .success)
      agent.signal(15)
      #expect(try await agent.ended() == 0)
    }

    @Test func withoutTheSessionProgram() async throws {
      let exporter = try ScriptedExporter([DeviceSamples.disk("1-1")])
      let machine = try Machine(peers: [exporter.port])
      let kernel = try FakeKernel(machine.tree)
      try await machine.startAgent(kernel: kernel)
      _ = try await machine.list { $0.count == 1 }
      let broken = try Machine(peers: [exporter.port])
      try broken.tree.addVirtualHost()
      let agent = try await broken.startAgent(["--session", "/nonexistent/devconfig-session"])
      try await agent.line("a configured exporter does not answer")
      // A connection from outside costs a message, not the agent.
      #expect(try await TCPClient.exchange([1], with: broken.port).isEmpty)
      try await agent.line("a session cannot be started", "/nonexistent/devconfig-session")
      #expect(try await broken.devconfig("list").code == .success)
    }
  }
}
