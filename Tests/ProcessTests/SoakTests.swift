// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import Glibc
import SystemPackage
import TestSupport
import Testing
import USBModel

extension Processes {
  /// Many times what others do once: nothing gets stuck, nothing is left over, nothing gets slow.
  ///
  /// `DEVCONFIG_SOAK_CYCLES` is how often a device is attached and detached. How fast a list is counts for
  /// programs that are built for people only: those of `DEVCONFIG_TEST_PROGRAMS`.
  @Suite(
    .timeLimit(.minutes(30)),
    .enabled(if: Machine.mayAttach, "needs root and libFakeKernelHooks.so"))
  struct SoakTests {
    static let cycles = getenv("DEVCONFIG_SOAK_CYCLES").flatMap { Int(String(cString: $0)) } ?? 150
    /// What the first ones leave, such as buffers and threads, belongs to a running agent.
    static let warmUp = 50
    /// KiB that memory may differ by between two looks.
    static let memoryNoise = 6 * 1024

    /// What an agent has of the machine.
    struct Footprint: Hashable {
      var descriptors: Int
      var processes: Int
      var memory: Int

      init(_ agent: Program) throws {
        descriptors = try #require(Self.entries(of: "/proc/\(agent.pid)/fd"))
        processes = LifeTests.children(of: agent.pid).count
        memory = try #require(try ProcessStatus(agent.pid)["VmRSS"]?.first.flatMap { Int($0) })
      }

      private static func entries(of path: String) -> Int? {
        guard let stream = opendir(path) else { return nil }
        defer { closedir(stream) }
        var count = 0
        while readdir(stream) != nil { count += 1 }
        return count
      }
    }

    @Test func attachingAndDetachingLeavesNothing() async throws {
      let exporter = try ScriptedExporter([DeviceSamples.disk("1-1")])
      let machine = try Machine(peers: [exporter.port])
      let kernel = try FakeKernel(machine.tree)
      let agent = try await machine.startAgent(kernel: kernel)
      _ = try await machine.list { $0.count == 1 }
      var before: Footprint?
      for cycle in 0..<(Self.warmUp + Self.cycles) {
        if cycle == Self.warmUp { before = try Footprint(agent) }
        _ = try await machine.ask(
          AgentCalls.up, AgentCalls.UpParameters(device: "1"), AgentCalls.Outcome.self)
        _ = try await machine.ask(
          AgentCalls.down, AgentCalls.DownParameters(device: "1"), AgentCalls.Outcome.self)
      }
      let old = try #require(before)
      // A process that has ended is reaped a moment later.
      try await LifeTests.wait(machine) { LifeTests.children(of: agent.pid).isEmpty }
      let new = try Footprint(agent)
      #expect(new.descriptors <= old.descriptors + 2, "\(old) \(new)")
      #expect(new.memory <= old.memory + Self.memoryNoise, "\(old) \(new)")
      #expect(
        kernel.log.events.count { if case .detached = $0 { true } else { false } }
          == Self.warmUp + Self.cycles)
      #expect(try machine.tree.read("run/undo.json") == #"{"claimed":[],"ports":[]}"#)
      #expect(try machine.tree.read("run/attached.json") == "{}")
    }

    @Test func aThousandDevicesAreListedAtOnce() async throws {
      let exporters = try (0..<25).map { exporter in
        try ScriptedExporter(
          (1...40).map { port in
            var device = DeviceSamples.disk("1-\(port)")
            device.deviceNumber = UInt32(port)
            return device
          })
      }
      let machine = try Machine(peers: exporters.map(\.port))
      let agent = try await machine.startAgent()
      _ = try await machine.list(within: .seconds(60)) { $0.count == 1000 }
      var times: [Duration] = []
      for _ in 0..<5 {
        let began = ContinuousClock.now
        let run = try await machine.devconfig("list")
        times.append(began.duration(to: .now))
        #expect(run.code == .success)
        #expect(run.data.count > 1000)
      }
      let memory = try Footprint(agent).memory
      #expect(
        times.sorted()[2] < .milliseconds(Machine.areReleasePrograms ? 100 : 1000), "\(times)")
      #expect(memory < 60 * 1024, "\(memory) KiB")
      print("a thousand devices: \(times), \(memory) KiB")
    }
  }
}
