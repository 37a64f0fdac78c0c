// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import Attaching
import Logging
import TestSupport
import Testing
import USBModel

/// What an agent leaves in the kernel, and what the next one makes of it.
@Suite(.timeLimit(.minutes(1))) struct AdoptionTests {
  static let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
  let bench: AttachingBench
  let disk: RemoteDevice

  init() async {
    bench = await AttachingBench()
    await bench.door.export(
      DeviceSamples.disk(),
      stages: [AttachingBench.seen(driver: "usb-storage", nodes: ["/dev/sdb"])])
    disk = AttachingBench.remote("1-1.2")
  }

  /// The agent after the one of `bench`, on the same kernel and with the same books.
  private func next() -> Attachments<FakeAttachDoor> {
    Attachments(
      door: bench.door, undo: bench.undo, book: bench.book, timing: AttachingBench.patient,
      log: Self.log)
  }

  /// Lets devices come up as soon as the kernel has them while `body` runs.
  private func comingUp(_ body: () async throws -> Void) async throws {
    let feeder = Task {
      for count in 1... {
        try await bench.door.log.wait { events in
          events.count { if case .attached = $0 { true } else { false } } >= count
        }
        await bench.door.advance(port: 0)
      }
    }
    defer { feeder.cancel() }
    try await body()
  }

  private func attachDisk() async throws {
    try await comingUp { _ = try await bench.attachments.up(disk, as: bench.taka) }
  }

  @Test func whatIsAttachedIsGoneOnWith() async throws {
    try await attachDisk()
    let before = await bench.attachments.attachment(disk.key)

    let next = next()
    #expect(await next.adopt(bench.book.record, among: bench.undo.record.ports) == [0])
    #expect(await next.attachment(disk.key) == before)
    let isNew = try await next.up(disk, as: bench.hiro)
    #expect(!isNew)
    #expect(bench.door.log.events.count == 2)
    #expect(try await next.down(disk.key))
    #expect(await bench.door.usedPorts.isEmpty)
    #expect(await bench.undo.record.isEmpty)
    #expect(await bench.book.record.isEmpty)
  }

  @Test func aPortThatHasAnotherDeviceNowIsLeftAlone() async throws {
    try await attachDisk()
    let record = await bench.book.record
    for change in [
      { @Sendable (old: inout AttachedDevice) in old.deviceID += 1 },
      { @Sendable (old: inout AttachedDevice) in old.localBusID = DeviceSamples.busID("9-2") },
    ] {
      var other = record
      var device = try #require(other[0])
      change(&device)
      other[0] = device
      let next = next()
      #expect(await next.adopt(other, among: [0]) == [])
      #expect(await next.all().isEmpty)
    }
    #expect(await bench.book.record.isEmpty)
  }

  @Test func whatWasCleanedUpSinceIsNotTakenUpAgain() async throws {
    try await attachDisk()
    let record = await bench.book.record
    let next = next()
    #expect(await next.adopt(record, among: []) == [])
    #expect(await next.all().isEmpty)
    #expect(await bench.book.record.isEmpty)
    // Whoever attached what is there now has it still.
    #expect(await bench.door.usedPorts == [0])
  }

  @Test func aPortThatIsFreeByNowIsForgotten() async throws {
    try await attachDisk()
    let record = await bench.book.record
    await bench.door.cut(port: 0)
    let next = next()
    #expect(await next.adopt(record, among: [0]) == [])
    #expect(await next.all().isEmpty)
  }

  @Test func anAgentKilledAtAnyStepLeavesWhatTheNextOneUnderstands() async throws {
    var steps = 0
    var outcomes: Set<Bool> = []
    while true {
      let bench = await AdoptionTests()
      let isOver = try await bench.die(after: steps, &outcomes)
      guard isOver else { break }
      steps += 1
    }
    // Import, undo, attach, note; detach, note, undo.
    #expect(steps == 7)
    #expect(outcomes == [false, true])
  }

  /// One life of `up` and `down` that ends after `steps`, and the next agent; false where it did not end.
  private func die(after steps: Int, _ outcomes: inout Set<Bool>) async throws -> Bool {
    let life = Life(steps: steps)
    let books = MortalBooks(life: life, undo: bench.undo, book: bench.book)
    do {
      let mortal = Attachments(
        door: MortalDoor(life: life, door: bench.door), undo: books, book: books,
        timing: AttachingBench.patient, log: Self.log)
      await bench.door.connect { [weak mortal] in await mortal?.localDevicesChanged() }
      try await comingUp {
        _ = try? await mortal.up(disk, as: bench.taka)
        _ = try? await mortal.down(disk.key)
      }
      // Its sockets are closed with it.
      await bench.door.connect {}
    }
    guard life.isOver else {
      try await bench.expectNothing()
      return false
    }
    // Taking a device off ends without the agent that began it.
    let isEnding = bench.door.log.events.contains {
      if case .detaching = $0 { true } else { false }
    }
    while isEnding, await bench.door.isUsed(port: 0) {}

    let next = next()
    let ports = await next.adopt(bench.book.record, among: bench.undo.record.ports)
    // As Cleanup does.
    for port in await bench.undo.record.ports.subtracting(ports) {
      try await bench.door.detach(port: port)
      while await bench.door.isUsed(port: port) {}
      try await bench.undo.change { $0.ports.remove(port) }
    }
    #expect(await bench.door.usedPorts == ports, "after \(steps) steps")
    #expect(await bench.undo.record.ports == ports, "after \(steps) steps")
    #expect(await Set(bench.book.record.keys) == ports, "after \(steps) steps")
    #expect(await next.all().isEmpty == ports.isEmpty, "after \(steps) steps")
    outcomes.insert(!ports.isEmpty)
    if ports.isEmpty {
      // The exporter has its device back, if it ever gave it.
      while await bench.door.holder("1-1.2") != nil { await Task.yield() }
    } else {
      #expect(try await next.down(disk.key))
      #expect(await bench.door.usedPorts.isEmpty)
      #expect(await bench.undo.record.isEmpty)
    }
    return true
  }
}
