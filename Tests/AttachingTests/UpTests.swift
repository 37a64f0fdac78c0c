// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import Attaching
import TestSupport
import Testing
import USBModel

@Suite(.timeLimit(.minutes(1))) struct UpTests {
  @Test func upReturnsWhenTheDeviceIsUsable() async throws {
    let bench = await AttachingBench()
    let disk = await bench.exportDisk()
    let task = Task { try await bench.attachments.up(disk, as: bench.taka) }
    let port = try await bench.attachedPort()
    #expect(port == 0)
    #expect(await bench.attachments.attachment(disk.key)?.state == .attaching)

    // A bound driver is not enough: the disk appears a second after usb-storage.
    await bench.door.advance(port: port)
    await bench.door.advance(port: port)
    #expect(await bench.attachments.attachment(disk.key)?.state == .attaching)
    await bench.door.advance(port: port)
    #expect(try await task.value)
    let attachment = try #require(await bench.attachments.attachment(disk.key))
    #expect(attachment.state == .attached)
    #expect(attachment.nodes == ["/dev/sdb", "/dev/sg1"])
    #expect(attachment.port == port)
    #expect(attachment.user == bench.taka)
    #expect(await bench.door.holder("1-1.2") == bench.taka)
  }

  @Test func theUndoRecordIsWrittenBeforeThePortIsUsedAndClearedAfter() async throws {
    let bench = await AttachingBench()
    let disk = await bench.exportDisk()
    let port = try await bench.attach(disk)
    #expect(
      bench.door.log.events == [
        .importing("1-1.2", bench.taka), .attached("1-1.2", port: port, isRecorded: true),
      ])
    #expect(await bench.undo.record.ports == [port])
    #expect(try await bench.attachments.down(disk.key))
    try await bench.expectNothing()
    #expect(await bench.undo.history.map(\.ports) == [[port], []])
  }

  @Test func upOfADeviceThatIsUpChangesNothing() async throws {
    let bench = await AttachingBench()
    let disk = await bench.exportDisk()
    _ = try await bench.attach(disk)
    #expect(try await bench.attachments.up(disk, as: bench.hiro) == false)
    #expect(bench.importCount == 1)
    #expect(await bench.attachments.attachment(disk.key)?.user == bench.taka)
  }

  @Test func twoUpsOfOneDeviceAtTheSameMomentAskOnce() async throws {
    let bench = await AttachingBench()
    let disk = await bench.exportDisk()
    async let first = bench.attachments.up(disk, as: bench.taka)
    async let second = bench.attachments.up(disk, as: bench.taka)
    let port = try await bench.attachedPort()
    await bench.finish(port: port)
    // One of the two did it, and both return with the device usable.
    let outcomes = try await [first, second]
    #expect(outcomes.count { $0 } == 1)
    #expect(bench.importCount == 1)
  }

  @Test func aCrowdOfVerbsOnOneDeviceEndsInOneState() async throws {
    let bench = await AttachingBench()
    await bench.door.export(
      DeviceSamples.disk(),
      stages: [AttachingBench.seen(driver: "usb-storage", nodes: ["/dev/sdb"])])
    let disk = AttachingBench.remote("1-1.2")
    let feeder = Task {
      // Each attachment needs its event: the number of those seen so far is the number to wait for.
      for count in 1... {
        try await bench.door.log.wait { events in
          events.count { if case .attached = $0 { true } else { false } } >= count
        }
        await bench.door.advance(port: 0)
      }
    }
    defer { feeder.cancel() }
    await withTaskGroup(of: Void.self) { group in
      for number in 0..<40 {
        group.addTask {
          if number.isMultiple(of: 2) {
            _ = try? await bench.attachments.up(disk, as: bench.taka)
          } else {
            _ = try? await bench.attachments.down(disk.key)
          }
        }
      }
    }
    _ = try await bench.attachments.down(disk.key)
    try await bench.expectNothing()
    // Never was the exporter asked again while the device was still here.
    var isHere = false
    for event in bench.door.log.events {
      switch event {
      case .importing:
        #expect(!isHere)
        isHere = true
      case .closed: isHere = false
      default: break
      }
    }
  }

  @Test func aSecondUpOfADeviceThatIsRefusedIsAskedAndRefusedToo() async throws {
    let bench = await AttachingBench()
    let disk = await bench.exportDisk()
    await bench.door.refuse("1-1.2", with: AgentError(.denied, "it is mounted"))
    async let first = bench.refusal(disk)
    async let second = bench.refusal(disk)
    #expect(await [first?.kind, second?.kind] == [.denied, .denied])
    try await bench.expectNoAttachment()
  }

  @Test func differentDevicesComeUpAtTheSameTimeOnDifferentPorts() async throws {
    let bench = await AttachingBench()
    let names = ["1-1.1", "1-1.2", "1-1.3", "1-1.4"]
    var disks: [RemoteDevice] = []
    for name in names { disks.append(await bench.exportDisk(name)) }
    // All agreed by their exporters before the first is handed to the kernel.
    bench.door.importing.close()
    let tasks = disks.map { disk in
      Task { try await bench.attachments.up(disk, as: bench.taka) }
    }
    try await bench.door.log.wait { $0.count == 4 }
    bench.door.importing.open()
    var ports: Set<Int> = []
    for name in names {
      let port = try await bench.attachedPort(name)
      ports.insert(port)
      await bench.finish(port: port)
    }
    for task in tasks { #expect(try await task.value) }
    #expect(ports == [0, 1, 2, 3])
    #expect(await bench.undo.record.ports == ports)

    await bench.attachments.detachAll()
    try await bench.expectNothing()
  }

  @Test func aPortAnotherProgramTookIsPassedOver() async throws {
    let bench = await AttachingBench()
    let disk = await bench.exportDisk()
    await bench.door.occupy([0])
    await bench.door.contest([1])
    let port = try await bench.attach(disk)
    #expect(port == 2)
    #expect(bench.door.log.events.contains(.busy(port: 1)))
    #expect(await bench.undo.record.ports == [2])
  }

  @Test func aSuperSpeedDeviceGetsAPortOfItsHalf() async throws {
    let bench = await AttachingBench()
    var device = DeviceSamples.disk()
    device.speed = .superSpeed
    await bench.door.export(device, stages: AttachingBench.diskStages)
    #expect(try await bench.attach(AttachingBench.remote("1-1.2")) == 4)
  }

  @Test func withoutAFreePortTheExporterGetsItsDeviceBack() async throws {
    let bench = await AttachingBench()
    let disk = await bench.exportDisk()
    await bench.door.occupy(0..<4)
    let error = try #require(await bench.refusal(disk))
    #expect(error.kind == .noFreePort)
    #expect(error.message.contains("high-speed"))
    #expect(!error.hint.isEmpty)
    try await bench.expectNothing()
  }

  @Test func portsLostToOthersOneByOneEndAsNoFreePort() async throws {
    let bench = await AttachingBench()
    let disk = await bench.exportDisk()
    await bench.door.contest([0, 1, 2, 3])
    #expect(await bench.refusal(disk)?.kind == .noFreePort)
    #expect(
      Array(bench.door.log.events.dropFirst().prefix(4)) == (0..<4).map { .busy(port: $0) })
    try await bench.expectNothing()
  }

  @Test func withoutAControllerNobodyIsLeftWithTheDevice() async throws {
    let bench = await AttachingBench()
    let disk = await bench.exportDisk()
    await bench.door.removeController(AgentError(.kernelSupportMissing, "no vhci_hcd"))
    #expect(await bench.refusal(disk)?.kind == .kernelSupportMissing)
    try await bench.expectNoAttachment()
  }

  @Test(arguments: [
    AgentError(.inUse, "in use by hiro@gamma"), AgentError(.denied, "mounted on /home"),
    AgentError(.unreachable, "no answer"), AgentError(.protocolMismatch, "no USB/IP"),
    AgentError(.unknownDevice, "no such device"),
  ])
  func whatTheExporterRefusesLeavesNothing(refusal: AgentError) async throws {
    let bench = await AttachingBench()
    let disk = await bench.exportDisk()
    await bench.door.refuse("1-1.2", with: refusal)
    #expect(await bench.refusal(disk) == refusal)
    try await bench.expectNoAttachment()
    #expect(await bench.undo.history.isEmpty)

    // And it is no obstacle to the next attempt.
    await bench.door.refuse("1-1.2", with: nil)
    _ = try await bench.attach(disk)
  }

  @Test func whatCannotBeWrittenDownIsNotDone() async throws {
    let bench = await AttachingBench()
    let disk = await bench.exportDisk()
    await bench.undo.fail(with: AgentError(.failed, "no room in /run"))
    #expect(await bench.refusal(disk)?.message == "no room in /run")
    try await bench.expectNothing()
    await bench.undo.fail(with: nil)
    #expect(try await bench.attach(disk) == 0)
  }
}

extension AttachingBench {
  /// Checks that nothing is here, where the exporter never agreed.
  func expectNoAttachment() async throws {
    #expect(await attachments.all().isEmpty)
    #expect(await door.usedPorts.isEmpty)
    #expect(await undo.record.isEmpty)
  }
}
