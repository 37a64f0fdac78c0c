// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import SystemPackage
import TestSupport
import Testing
import USBIPWire
import USBModel

extension Processes {
  /// Exporters that are gone, refuse, or do not speak USB/IP.
  @Suite(
    .timeLimit(.minutes(1)), .enabled(if: Machine.mayAttach, "needs root and libFakeKernelHooks.so")
  )
  struct ExporterTroubleTests {
    let device = DeviceSamples.disk("1-1")

    /// An exporter that lists the disk, and answers an import with `answer`.
    func exporter(_ answer: ScriptedExporter.Answer) throws -> ScriptedExporter {
      let list = OperationReply.deviceList([device])
      return try ScriptedExporter { request in
        if case .deviceList = request { .reply(list) } else { answer }
      }
    }

    @Test func goneBetweenListAndUp() async throws {
      let exporter = try ScriptedExporter([device])
      let machine = try Machine(peers: [exporter.port])
      let kernel = try FakeKernel(machine.tree)
      try await machine.startAgent(kernel: kernel)
      _ = try await machine.list { $0.count == 1 }
      exporter.stop()
      let run = try await machine.devconfig("up", "1")
      #expect(run.code == .unreachable)
      #expect(run.data == [])
      #expect(run.talk.first?.contains("127.0.0.1 does not answer") == true)
      #expect(run.talk.count == 2)
      #expect(kernel.log.events.isEmpty)
      #expect(try await machine.list().first?.localState == .detached)
    }

    @Test(arguments: [
      (OperationStatus.busy, ExitCode.inUse, "in use"),
      (.notAvailable, .denied, "does not hand over"),
      (.noDevice, .unknownDevice, "exports no device 1-1"),
      (.deviceError, .failure, "error state"),
    ])
    func refusing(status: OperationStatus, code: ExitCode, words: String) async throws {
      let exporter = try exporter(.reply(OperationReply.failure(.importDevice, status)))
      let machine = try Machine(peers: [exporter.port])
      let kernel = try FakeKernel(machine.tree)
      try await machine.startAgent(kernel: kernel)
      _ = try await machine.list { $0.count == 1 }
      let run = try await machine.devconfig("up", "1")
      #expect(run.code == code)
      #expect(run.words.contains(words))
      #expect(run.talk.count == 2, "an error has a next step: \(run.talk)")
      #expect(kernel.log.events.isEmpty)
      #expect(!machine.tree.exists("run/undo.json"))
    }

    @Test(arguments: ["HTTP/1.1 400 Bad Request\r\n\r\n", "", "\u{1}\u{11}"])
    func speakingSomethingElse(reply: String) async throws {
      let exporter = try exporter(.reply(Array(reply.utf8)))
      let machine = try Machine(peers: [exporter.port])
      let kernel = try FakeKernel(machine.tree)
      let agent = try await machine.startAgent(kernel: kernel)
      _ = try await machine.list { $0.count == 1 }
      let run = try await machine.devconfig("up", "1")
      #expect(run.code == .protocolMismatch)
      #expect(run.talk.count == 2, "an error has a next step: \(run.talk)")
      #expect(kernel.log.events.isEmpty)
      #expect(try await machine.devconfig("list").code == .success)
      agent.signal(15)
      #expect(try await agent.ended() == 0)
    }

    @Test func handingOverAnotherDevice() async throws {
      let exporter = try exporter(.open(OperationReply.importReply(DeviceSamples.disk("1-7"))))
      let machine = try Machine(peers: [exporter.port])
      let kernel = try FakeKernel(machine.tree)
      try await machine.startAgent(kernel: kernel)
      _ = try await machine.list { $0.count == 1 }
      let run = try await machine.devconfig("up", "1")
      #expect(run.code == .protocolMismatch)
      #expect(kernel.log.events.isEmpty)
      // The connection is ended: the exporter has its device back.
      try await exporter.log.wait { $0.contains(.closed) }
    }

    @Test func aLinkThatIsLostLaterIsShown() async throws {
      let exporter = try ScriptedExporter([device])
      let machine = try Machine(peers: [exporter.port])
      let kernel = try FakeKernel(machine.tree)
      let agent = try await machine.startAgent(kernel: kernel)
      _ = try await machine.list { $0.count == 1 }
      #expect(try await machine.devconfig("up", "1").code == .success)
      kernel.cut(port: 0)
      _ = try await machine.list { $0.contains { $0.id == 1 && $0.localState == .detached } }
      try await agent.line("an attached device is gone")
      let again = try await machine.devconfig("up", "1")
      #expect(again.code == .success)
      #expect(again.talk == [])
    }

    @Test func configuredButNotThere() async throws {
      let machine = try Machine(peers: [try Machine.freePort()])
      let agent = try await machine.startAgent()
      try await agent.line("a configured exporter does not answer")
      let run = try await machine.devconfig("list")
      #expect(run.code == .success)
      #expect(run.data == [])
      #expect(run.talk.count == 1)
    }
  }
}
