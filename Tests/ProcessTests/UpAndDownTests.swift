// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import TestSupport
import Testing
import USBModel

extension Processes {
  /// The session of the paper's Figure 6 against a scripted exporter and a fake kernel.
  @Suite(
    .timeLimit(.minutes(1)), .enabled(if: Machine.mayAttach, "needs root and libFakeKernelHooks.so")
  )
  struct UpAndDownTests {
    @Test func aDeviceComesUpAndGoesDown() async throws {
      let exporter = try ScriptedExporter([DeviceSamples.disk("1-1")])
      let machine = try Machine(peers: [exporter.port])
      let kernel = try FakeKernel(machine.tree)
      let agent = try await machine.startAgent(kernel: kernel)
      let listed = try await machine.list { $0.count == 1 }
      let device = try #require(listed.first)
      #expect(device.id == 1)
      #expect(device.host == "127.0.0.1")
      #expect(device.port == exporter.port)
      #expect(device.remoteState == .available)

      let up = try await machine.devconfig("up", "1")
      #expect(up.code == .success)
      #expect(up.data == ["1: USB device 0781:5567 on 127.0.0.1: attached, \(kernel.node)"])
      #expect(up.talk == [])
      #expect(exporter.log.events.contains(.asked("1-1")))
      // Bus 1, device 4, high speed, on the first port of the high-speed half.
      #expect(kernel.log.events == [.attached(port: 0, device: 0x0001_0004, speed: 3)])
      #expect(!exporter.log.events.contains(.closed))

      let again = try await machine.devconfig("up", "1")
      #expect(again.code == .success)
      #expect(again.talk == ["USB device 0781:5567 is up already"])
      #expect(kernel.log.events.count == 1)
      let used = try await machine.list().first { !$0.isLocal }
      #expect(used?.localState == .attached)
      #expect(used?.remoteState == .inUse)
      #expect(used?.remoteUser == RemoteUser(user: "root", host: "beta"))
      #expect(used?.nodes == [kernel.node])

      let down = try await machine.devconfig("down", "1-1@127.0.0.1")
      #expect(down.code == .success)
      #expect(down.data == [] && down.talk == [])
      #expect(kernel.log.events.last == .detached(port: 0))
      // Only the kernel had the socket: agent and session let go of theirs.
      try await exporter.log.wait { $0.contains(.closed) }
      let downAgain = try await machine.devconfig("down", "1")
      #expect(downAgain.code == .success)
      #expect(downAgain.talk == ["USB device 0781:5567 is down already"])
      #expect(try await machine.list().first?.localState == .detached)
      agent.signal(15)
      #expect(try await agent.ended() == 0)
    }
  }
}
