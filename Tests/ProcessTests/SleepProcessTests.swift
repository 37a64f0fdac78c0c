// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import LinuxHost
import TestSupport
import Testing
import USBModel

extension Processes {
  /// What devconfig-sleep.service has the agent do.
  @Suite(.timeLimit(.minutes(1))) struct SleepProcessTests {
    @Test func whoSleepsServesNobody() async throws {
      let machine = try Machine()
      let agent = try await machine.startAgent()
      // A peer that has connected and says nothing: a session.
      let peer = try TCPClient.connect(machine.port)
      try await LifeTests.wait(machine) { LifeTests.children(of: agent.pid).count == 1 }
      let slept = try await machine.devconfig("sleep")
      #expect(slept.code == .success)
      #expect(slept.data == [] && slept.talk == [])
      #expect(LifeTests.children(of: agent.pid).isEmpty)
      #expect(throws: NotInTime.self) { try TCPClient.connect(machine.port) }
      withExtendedLifetime(peer) {}

      #expect(try await machine.devconfig("wake").code == .success)
      let end = ContinuousClock.now + .seconds(10)
      var connection = try? TCPClient.connect(machine.port)
      while connection == nil, ContinuousClock.now < end {
        _ = try await machine.list()
        connection = try? TCPClient.connect(machine.port)
      }
      #expect(connection != nil, "\(machine.talk)")
      // And once more; stopped asleep it ends as well.
      #expect(try await machine.devconfig("sleep").code == .success)
      agent.signal(15)
      #expect(try await agent.ended() == 0)
    }

    @Test(.enabled(if: Machine.mayAttach, "needs root and libFakeKernelHooks.so"))
    func whatIsKeptComesBackAndTheRestIsGone() async throws {
      let exporter = try ScriptedExporter([DeviceSamples.disk("1-1")])
      let machine = try Machine(peers: [exporter.port])
      let kernel = try FakeKernel(machine.tree)
      let agent = try await machine.startAgent(kernel: kernel)
      _ = try await machine.list { $0.count == 1 }
      #expect(try await machine.devconfig("up", "--keep", "1").code == .success)
      #expect(try await machine.devconfig("sleep").code == .success)
      #expect(kernel.log.events.last == .detached(port: 0))
      let asleep = try await machine.list().first
      #expect(asleep?.localState == .retrying)
      #expect(asleep?.reason == "this machine sleeps; it is tried once it is awake")
      let refused = try await machine.devconfig("up", "1")
      #expect(refused.code == .failure)
      #expect(refused.words.contains("this machine is about to sleep"))

      #expect(try await machine.devconfig("wake").code == .success)
      _ = try await machine.list { devices in
        devices.contains { $0.localState == .attached && $0.isKept == true }
      }
      // Not kept, it is gone.
      #expect(try await machine.devconfig("down", "1").code == .success)
      #expect(try await machine.devconfig("up", "1").code == .success)
      #expect(try await machine.devconfig("sleep").code == .success)
      #expect(try await machine.devconfig("wake").code == .success)
      #expect(try await machine.list().first { !$0.isLocal }?.localState == .detached)
      agent.signal(15)
      #expect(try await agent.ended() == 0)
    }
  }
}
