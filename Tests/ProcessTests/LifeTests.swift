// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import Glibc
import LinuxHost
import SystemPackage
import TestSupport
import Testing
import USBModel

extension Processes {
  /// Agents that stop, die and start again.
  @Suite(.timeLimit(.minutes(1))) struct LifeTests {
    /// The processes whose parent is `pid`, now.
    static func children(of pid: pid_t) -> Set<pid_t> {
      var children: Set<pid_t> = []
      guard let stream = opendir("/proc") else { return [] }
      defer { closedir(stream) }
      while let entry = readdir(stream) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) { field in
          field.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        guard let number = pid_t(name), parent(of: number) == pid else { continue }
        children.insert(number)
      }
      return children
    }

    private static func parent(of pid: pid_t) -> pid_t? {
      guard let file = fopen("/proc/\(pid)/stat", "re") else { return nil }
      defer { fclose(file) }
      var buffer = [UInt8](repeating: 0, count: 512)
      let count = fread(&buffer, 1, buffer.count, file)
      // The name in brackets may hold anything: what follows the last bracket counts.
      let text = String(decoding: buffer.prefix(count), as: UTF8.self)
      guard let bracket = text.lastIndex(of: ")") else { return nil }
      let fields = text[text.index(after: bracket)...].split(separator: " ")
      return fields.count > 1 ? pid_t(fields[1]) : nil
    }

    static func isAlive(_ pid: pid_t) -> Bool { kill(pid, 0) == 0 }

    /// Asks the kernel in turn with the agent until `isMet`.
    static func wait(_ machine: Machine, until isMet: () -> Bool) async throws {
      let end = ContinuousClock.now + .seconds(10)
      while !isMet() {
        guard ContinuousClock.now < end else {
          throw NotInTime(description: "not in time; \(machine.talk)")
        }
        _ = try await machine.list()
      }
    }

    @Test(arguments: [SIGTERM, SIGINT]) func aStopLeavesNoProcess(signal: Int32) async throws {
      let machine = try Machine()
      let agent = try await machine.startAgent()
      // Two peers that connect and say nothing: a session each.
      let peers = try (0..<2).map { _ in try TCPClient.connect(machine.port) }
      try await Self.wait(machine) { Self.children(of: agent.pid).count == 2 }
      let sessions = Self.children(of: agent.pid)
      agent.signal(signal)
      #expect(try await agent.ended() == 0)
      #expect(sessions.filter(Self.isAlive).isEmpty)
      #expect(!machine.tree.exists("run/agent.sock"))
      withExtendedLifetime(peers) {}
    }

    @Test func aSessionThatDiesCostsOneConnection() async throws {
      let machine = try Machine()
      let agent = try await machine.startAgent()
      let peer = try TCPClient.connect(machine.port)
      try await Self.wait(machine) { Self.children(of: agent.pid).count == 1 }
      for session in Self.children(of: agent.pid) { kill(session, SIGKILL) }
      #expect(try await BackgroundThread.run { try TCPClient.readToEnd(peer) }.isEmpty)
      try await Self.wait(machine) { Self.children(of: agent.pid).isEmpty }
      #expect(try await machine.devconfig("list").code == .success)
    }

    /// A machine with a kernel that attaches, whose agent lists the one disk of an exporter.
    static func importer(
      _ make: (SysfsTree) throws -> FakeKernel = { try FakeKernel($0) }
    ) async throws -> (ScriptedExporter, Machine, FakeKernel, Program) {
      let exporter = try ScriptedExporter([DeviceSamples.disk("1-1")])
      let machine = try Machine(peers: [exporter.port])
      let kernel = try make(machine.tree)
      let agent = try await machine.startAgent(kernel: kernel)
      _ = try await machine.list { $0.count == 1 }
      return (exporter, machine, kernel, agent)
    }

    @Test(.enabled(if: Machine.mayAttach, "needs root and libFakeKernelHooks.so"))
    func aStopDetachesWhatIsUp() async throws {
      let (exporter, machine, kernel, agent) = try await Self.importer()
      #expect(try await machine.devconfig("up", "1").code == .success)
      #expect(try machine.tree.read("run/undo.json") == #"{"claimed":[],"ports":[0]}"#)
      agent.signal(SIGTERM)
      #expect(try await agent.ended() == 0)
      #expect(kernel.log.events.last == .detached(port: 0))
      try await exporter.log.wait { $0.contains(.closed) }
      #expect(try machine.tree.read("run/undo.json") == #"{"claimed":[],"ports":[]}"#)
    }

    @Test(.enabled(if: Machine.mayAttach, "needs root and libFakeKernelHooks.so"))
    func theNextAgentGoesOnWithWhatADeadOneAttached() async throws {
      let (exporter, machine, kernel, agent) = try await Self.importer()
      #expect(try await machine.devconfig("up", "1").code == .success)
      let before = try #require(try await machine.list().first { !$0.isLocal })
      agent.signal(SIGKILL)
      #expect(try await agent.ended() == 128 + SIGKILL)

      let next = try await machine.startAgent(kernel: kernel)
      try await next.line("going on with them", "ports=1")
      let after = try await machine.list { $0.contains { $0.localState == .attached } }
      #expect(after.first { !$0.isLocal }?.nodes == before.nodes)
      #expect(after.first { !$0.isLocal }?.remoteUser == before.remoteUser)
      #expect(kernel.log.events.count == 1)
      #expect(!exporter.log.events.contains(.closed))
      #expect(try await machine.devconfig("down", "1").code == .success)
      #expect(kernel.log.events.last == .detached(port: 0))
      try await exporter.log.wait { $0.contains(.closed) }
    }

    @Test(.enabled(if: Machine.mayAttach, "needs root and libFakeKernelHooks.so"))
    func whatADeadAgentLeftUnfinishedIsUndone() async throws {
      let (exporter, machine, kernel, agent) = try await Self.importer {
        try FakeKernel($0, device: nil)
      }
      async let up = machine.devconfig("up", "1")
      try await kernel.log.wait { $0.count == 1 }
      agent.signal(SIGKILL)
      #expect(try await agent.ended() == 128 + SIGKILL)
      #expect(try await up.code != .success)
      let next = try await machine.startAgent(kernel: kernel)
      try await next.line("an agent left something behind")
      #expect(kernel.log.events.last == .detached(port: 0))
      try await exporter.log.wait { $0.contains(.closed) }
    }

    @Test(.enabled(if: Machine.mayAttach, "needs root and libFakeKernelHooks.so"))
    func whatADeadAgentLeftIsUndoneByCleanup() async throws {
      let (exporter, machine, kernel, agent) = try await Self.importer()
      #expect(try await machine.devconfig("up", "1").code == .success)
      agent.signal(SIGKILL)
      #expect(try await agent.ended() == 128 + SIGKILL)
      #expect(kernel.log.events.last == .attached(port: 0, device: 0x0001_0004, speed: 3))

      for _ in 0..<2 {
        let cleanup = try await machine.launchAgent(["--cleanup"], kernel: kernel)
        #expect(try await cleanup.ended() == 0)
      }
      #expect(kernel.log.events.last == .detached(port: 0))
      #expect(kernel.log.events.count == 2)
      #expect(try machine.tree.read("run/undo.json") == #"{"claimed":[],"ports":[]}"#)
      try await exporter.log.wait { $0.contains(.closed) }
    }

    @Test func numbersSurviveARestart() async throws {
      let exporter = try ScriptedExporter([DeviceSamples.disk("1-1"), DeviceSamples.mouse("2-3")])
      let machine = try Machine(peers: [exporter.port])
      try machine.tree.add(DeviceSamples.disk("4-1"))
      let first = try await machine.startAgent()
      let before = try await machine.list { $0.count == 3 }
      first.signal(SIGTERM)
      #expect(try await first.ended() == 0)

      // The next one finds the same devices, one of them plugged into another port.
      try machine.tree.remove(DeviceSamples.busID("4-1"))
      try machine.tree.add(DeviceSamples.disk("4-2"))
      let second = try await machine.startAgent()
      let after = try await machine.list { $0.count == 3 }
      func numbers(_ devices: [DeviceStatus]) -> Set<String> {
        Set(devices.map { "\($0.id) \($0.host) \($0.name)" })
      }
      #expect(numbers(after) == numbers(before))
      #expect(Set(before.map(\.id)) == [1, 2, 3])
      second.signal(SIGTERM)
      #expect(try await second.ended() == 0)
    }

    @Test func aNumberOfADeviceThatIsNotThereIsExplained() async throws {
      let machine = try Machine()
      try machine.tree.add(DeviceSamples.disk("4-1"))
      let first = try await machine.startAgent()
      #expect(try await machine.list().map(\.id) == [1])
      first.signal(SIGTERM)
      #expect(try await first.ended() == 0)
      try machine.tree.remove(DeviceSamples.busID("4-1"))
      try await machine.startAgent()
      guard Machine.isRoot else { return }
      let run = try await machine.devconfig("up", "1")
      #expect(run.code == .unreachable)
      #expect(run.talk.first?.contains("SanDisk Cruzer Blade is OFFLINE") == true)
      #expect(run.talk.count == 2)
    }
  }
}

/// Waits for a deadline of the session, and for nothing else: not one of `Processes`.
@Suite(.timeLimit(.minutes(1))) struct OrphanTests {
  @Test func aSessionWhoseAgentDiesDoesNotLiveOn() async throws {
    let machine = try Machine()
    let agent = try await machine.startAgent()
    let peer = try TCPClient.connect(machine.port)
    try await Processes.LifeTests.wait(machine) {
      Processes.LifeTests.children(of: agent.pid).count == 1
    }
    agent.signal(SIGKILL)
    #expect(try await agent.ended() == 128 + SIGKILL)
    // Its connection ends within the deadline of an operation phase.
    _ = try await BackgroundThread.run { try TCPClient.readToEnd(peer) }
  }
}
