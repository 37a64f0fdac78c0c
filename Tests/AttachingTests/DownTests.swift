// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import Attaching
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1))) struct DownTests {
  @Test func downOfADeviceThatIsDownChangesNothing() async throws {
    let bench = await AttachingBench()
    #expect(try await bench.attachments.down("alpha/1-1.2") == false)
    #expect(bench.door.log.events.isEmpty)
  }

  @Test func downReturnsWhenThePortIsFree() async throws {
    let bench = await AttachingBench()
    let disk = await bench.exportDisk()
    let port = try await bench.attach(disk)
    await bench.door.freePorts(after: 5)
    #expect(try await bench.attachments.down(disk.key))
    #expect(await bench.door.isUsed(port: port) == false)
    try await bench.expectNothing()
    #expect(try await bench.attachments.down(disk.key) == false)
  }

  @Test func aPortTheKernelKeepsIsATimeoutAndTheDeviceStaysUp() async throws {
    let bench = await AttachingBench(
      timing: AttachTiming(detached: .milliseconds(100), look: .milliseconds(2)))
    let disk = await bench.exportDisk()
    let port = try await bench.attach(disk)
    await bench.door.freePorts(after: .max)
    let error = await #expect(throws: AgentError.self) {
      try await bench.attachments.down(disk.key)
    }
    #expect(error?.kind == .timedOut)
    #expect(error?.message.contains("port \(port)") == true)
    #expect(await bench.attachments.attachment(disk.key)?.state == .attached)
    #expect(await bench.undo.record.ports == [port])

    // The next attempt finds the kernel willing.
    await bench.door.freePorts(after: 0)
    #expect(try await bench.attachments.down(disk.key))
    try await bench.expectNothing()
  }

  @Test func aDownDuringAnUpWaitsAndThenDetaches() async throws {
    let bench = await AttachingBench()
    let disk = await bench.exportDisk()
    bench.door.importing.close()
    async let up = bench.attachments.up(disk, as: bench.taka)
    try await bench.door.log.wait { !$0.isEmpty }
    async let down = bench.attachments.down(disk.key)
    bench.door.importing.open()
    await bench.finish(port: try await bench.attachedPort())
    #expect(try await up)
    #expect(try await down)
    try await bench.expectNothing()
  }

  @Test func anUpWhoseCallerIsGoneIsFinishedAllTheSame() async throws {
    let bench = await AttachingBench()
    let disk = await bench.exportDisk()
    let task = Task { try await bench.attachments.up(disk, as: bench.taka) }
    let port = try await bench.attachedPort()
    task.cancel()
    await bench.finish(port: port)
    #expect(try await task.value)
    #expect(await bench.attachments.attachment(disk.key)?.state == .attached)
  }

  @Test func detachAllTakesWhatIsUpAndWhatIsComingUp() async throws {
    let bench = await AttachingBench()
    let first = await bench.exportDisk("1-1.1")
    let second = await bench.exportDisk("1-1.2")
    _ = try await bench.attach(first)
    bench.door.importing.close()
    let task = Task { try await bench.attachments.up(second, as: bench.taka) }
    try await bench.door.log.wait { $0.contains(.importing("1-1.2", bench.taka)) }
    let all = Task { await bench.attachments.detachAll() }
    bench.door.importing.open()
    await bench.finish(port: try await bench.attachedPort("1-1.2"))
    #expect(try await task.value)
    await all.value
    try await bench.expectNothing()
    #expect(bench.door.log.events.count { $0 == .closed("1-1.1") || $0 == .closed("1-1.2") } == 2)
  }

  @Test func detachAllGoesOnPastADeviceThatStays() async throws {
    let bench = await AttachingBench(
      timing: AttachTiming(detached: .milliseconds(100), look: .milliseconds(2)))
    let first = await bench.exportDisk("1-1.1")
    let second = await bench.exportDisk("1-1.2")
    _ = try await bench.attach(first)
    _ = try await bench.attach(second)
    await bench.door.freePorts(after: .max)
    await bench.attachments.detachAll()
    #expect(bench.door.log.events.contains(.detaching(port: 0)))
    #expect(bench.door.log.events.contains(.detaching(port: 1)))
    // Both stay recorded, for the cleanup after this agent.
    #expect(await bench.undo.record.ports == [0, 1])
  }
}
