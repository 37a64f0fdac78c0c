// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import Attaching
import TestSupport
import Testing
import USBModel

/// What can happen between the kernel taking a device and people using it.
@Suite(.timeLimit(.minutes(1))) struct ComingUpTests {
  @Test func aDeviceThatIsNeverEnumeratedTimesOutAndItsPortIsFreed() async throws {
    let bench = await AttachingBench(timing: AttachingBench.impatient)
    await bench.door.export(DeviceSamples.disk(), stages: [])
    let error = try #require(await bench.refusal(AttachingBench.remote("1-1.2")))
    #expect(error.kind == .timedOut)
    #expect(error.message.contains("SanDisk Cruzer Blade"))
    #expect(error.hint.contains("journalctl"))
    #expect(bench.door.log.events.contains(.detaching(port: 0)))
    try await bench.expectNothing()
  }

  @Test func aDeviceWithoutADriverIsUsableAfterAQuietWhile() async throws {
    let bench = await AttachingBench(timing: AttachingBench.impatient)
    await bench.door.export(DeviceSamples.disk(), stages: [AttachingBench.seen(driver: nil)])
    let disk = AttachingBench.remote("1-1.2")
    let task = Task { try await bench.attachments.up(disk, as: bench.taka) }
    await bench.door.advance(port: try await bench.attachedPort())
    #expect(try await task.value)
    #expect(await bench.attachments.attachment(disk.key)?.nodes == [])
  }

  @Test func aDriverThatBindsLateIsWaitedFor() async throws {
    let bench = await AttachingBench()
    let disk = await bench.exportDisk()
    let task = Task { try await bench.attachments.up(disk, as: bench.taka) }
    let port = try await bench.attachedPort()
    await bench.door.advance(port: port)
    await bench.door.advance(port: port)
    await bench.door.advance(port: port)
    #expect(try await task.value)
    #expect(await bench.attachments.attachment(disk.key)?.nodes == ["/dev/sdb", "/dev/sg1"])
  }

  @Test func aDriverWhoseNodeNeverComesIsReportedAsItIs() async throws {
    let bench = await AttachingBench(timing: AttachingBench.impatient)
    await bench.door.export(
      DeviceSamples.disk(), stages: [AttachingBench.seen(driver: "usb-storage")])
    let disk = AttachingBench.remote("1-1.2")
    let task = Task { try await bench.attachments.up(disk, as: bench.taka) }
    await bench.door.advance(port: try await bench.attachedPort())
    #expect(try await task.value)
    #expect(await bench.attachments.attachment(disk.key)?.nodes == [])
  }

  /// Other devices of a busy machine ring the bell all the time; that makes this one no less usable.
  @Test func aDeviceWithoutADriverIsUsableOnABusyMachineToo() async throws {
    let bench = await AttachingBench(timing: AttachingBench.impatient)
    await bench.door.export(DeviceSamples.disk(), stages: [AttachingBench.seen(driver: nil)])
    let disk = AttachingBench.remote("1-1.2")
    let task = Task { try await bench.attachments.up(disk, as: bench.taka) }
    await bench.door.advance(port: try await bench.attachedPort())
    let noise = Task {
      while !Task.isCancelled {
        await bench.attachments.localDevicesChanged()
        await Task.yield()
      }
    }
    defer { noise.cancel() }
    #expect(try await task.value)
  }

  @Test func aLinkLostWhileComingUpIsUnreachable() async throws {
    let bench = await AttachingBench()
    let disk = await bench.exportDisk()
    let task = Task { await bench.refusal(disk) }
    let port = try await bench.attachedPort()
    await bench.door.cut(port: port)
    let error = try #require(await task.value)
    #expect(error.kind == .unreachable)
    #expect(error.message.contains("alpha"))
    try await bench.expectNothing()
  }

  @Test func aLinkLostLaterIsNoticed() async throws {
    let bench = await AttachingBench()
    let disk = await bench.exportDisk()
    let port = try await bench.attach(disk)
    let seen = bench.changes.count
    await bench.door.cut(port: port)
    try await bench.changes.more(than: seen)
    try await bench.changes.until { await bench.attachments.attachment(disk.key) == nil }
    try await bench.expectNothing()
    // The exporter is asked anew.
    #expect(try await bench.attach(disk) == 0)
    #expect(bench.importCount == 2)
  }

  @Test func aLossOfOneDeviceLeavesTheOthers() async throws {
    let bench = await AttachingBench()
    let first = await bench.exportDisk("1-1.1")
    let second = await bench.exportDisk("1-1.2")
    let port = try await bench.attach(first)
    _ = try await bench.attach(second)
    await bench.door.cut(port: port)
    #expect(await bench.attachments.attachment(first.key) == nil)
    #expect(await bench.attachments.attachment(second.key)?.state == .attached)
    #expect(await bench.undo.record.ports == [1])
  }

  @Test func nodesThatComeLaterAreShown() async throws {
    let bench = await AttachingBench()
    let nodes = ["/dev/sdb", "/dev/sdb1"]
    await bench.door.export(
      DeviceSamples.disk(),
      stages: AttachingBench.diskStages + [AttachingBench.seen(driver: "usb-storage", nodes: nodes)]
    )
    let disk = AttachingBench.remote("1-1.2")
    let port = try await bench.attach(disk)
    let seen = bench.changes.count
    await bench.door.advance(port: port)
    try await bench.changes.more(than: seen)
    #expect(await bench.attachments.attachment(disk.key)?.nodes == nodes)
  }

  @Test func eachStateIsSignalled() async throws {
    let bench = await AttachingBench()
    let disk = await bench.exportDisk()
    bench.door.importing.close()
    let task = Task { try await bench.attachments.up(disk, as: bench.taka) }
    func state() async -> LocalState? { await bench.attachments.attachment(disk.key)?.state }
    try await bench.changes.until { await state() == .attaching }
    bench.door.importing.open()
    let port = try await bench.attachedPort()
    await bench.finish(port: port)
    try await bench.changes.until { await state() == .attached }
    #expect(try await task.value)
    await bench.door.freePorts(after: .max)
    let down = Task { try await bench.attachments.down(disk.key) }
    try await bench.changes.until { await state() == .detaching }
    await bench.door.free(port: port)
    try await bench.changes.until { await state() == nil }
    #expect(try await down.value)
  }
}
