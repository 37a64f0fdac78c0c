// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import Attaching
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1))) struct SleepTests {
  @Test func whatIsKeptIsNotTriedWhileTheMachineSleepsAndAtOnceAfterwards() async throws {
    let bench = await KeepingBench()
    try await bench.run {
      _ = try await bench.kept.keep(bench.disk, for: bench.taka)
      try await bench.attached(times: 1)
      await bench.kept.sleep()
      #expect(await bench.kept.isSleeping)
      await bench.attachments.detachAll()
      await bench.kept.settle()
      #expect(await bench.attachments.all().isEmpty)
      // Free again and announced so: nothing that wakes the watch makes it try.
      for _ in 1...10 { await bench.kept.announced(bench.disk) }
      #expect(await bench.kept.retries[bench.disk.key]?.reason == "this machine sleeps")
      try await bench.asked(times: 1)
      let slept = ContinuousClock.now
      await bench.kept.wake()
      try await bench.attached(times: 2)
      #expect(ContinuousClock.now < slept + RetrySchedule.longest)
      #expect(await !bench.kept.isSleeping)
    }
    let imports = bench.door.log.events.count { if case .importing = $0 { true } else { false } }
    #expect(imports == 2)
  }

  @Test func aTryUnderWayEndsBeforeItSettles() async throws {
    let bench = await KeepingBench()
    try await bench.run {
      bench.door.importing.close()
      _ = try await bench.kept.keep(bench.disk, for: bench.taka)
      try await bench.asked(times: 1)
      await bench.kept.sleep()
      let settled = Task { await bench.kept.settle() }
      bench.door.importing.open()
      await settled.value
      await bench.attachments.detachAll()
      #expect(await bench.attachments.all().isEmpty)
      #expect(await bench.kept.retries[bench.disk.key]?.reason == "this machine sleeps")
    }
  }

  @Test func wakingUpUnaskedChangesNothing() async throws {
    let bench = await KeepingBench()
    await bench.door.refuse("1-1.2", with: AgentError(.inUse, "hiro has it"))
    try await bench.run {
      _ = try await bench.kept.keep(bench.disk, for: bench.taka)
      try await bench.waiting("hiro has it")
      await bench.kept.wake()
      #expect(await bench.kept.retries[bench.disk.key]?.reason == "hiro has it")
    }
  }
}
