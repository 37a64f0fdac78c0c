// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import Sharing
import TestSupport
import Testing
import USBModel

@Suite struct ReleaseTests {
  let bench = SharingBench()
  let first = SessionNumber(1)

  @Test func aSessionThatEndsWhileItsDeviceIsBeingTakenLeavesNothing() async throws {
    await bench.inventory.update(bench.disk)
    bench.door.claiming.close()
    let task = Task { await bench.refusal(for: bench.taka, session: 1) }
    let busID = bench.disk.busID
    try await bench.door.log.wait { $0.contains(.claiming(busID, isRecorded: true)) }

    await bench.inventory.release(session: first)
    // Still on its way out of its drivers: nobody else gets it yet.
    #expect(await bench.shownDisk?.state == .inUse)
    #expect(await bench.refusal(for: bench.hiro, session: 2)?.kind == .inUse)

    #expect(await bench.inventory.isHeld(busID, by: first))

    bench.door.claiming.open()
    #expect(await task.value?.kind == .failed)
    #expect(await !bench.inventory.isHeld(busID, by: first))
    // Given back after the claim was dropped: before, no driver could have it.
    #expect(bench.done.last == .returned(busID, configuration: 1))
    #expect(!bench.door.isClaimed(busID))
    #expect(await bench.shownDisk?.state == .available)
    #expect(await bench.undo.record.isEmpty)
  }

  @Test func aClaimThatFailsAfterItsSessionEndedLeavesNothing() async throws {
    await bench.inventory.update(bench.disk)
    bench.door.claiming.close()
    await bench.door.failClaims(with: AgentError(.failed, "gone"))
    let task = Task { await bench.refusal(for: bench.taka, session: 1) }
    let busID = bench.disk.busID
    try await bench.door.log.wait { $0.contains(.claiming(busID, isRecorded: true)) }
    await bench.inventory.release(session: first)
    bench.door.claiming.open()
    #expect(await task.value?.message == "gone")
    #expect(await bench.shownDisk?.state == .available)
    #expect(await bench.undo.record.isEmpty)
  }

  @Test func releasingTwiceOrNothingIsHarmless() async throws {
    await bench.inventory.update(bench.disk)
    await bench.inventory.release(session: first)
    #expect(bench.done.isEmpty)
    _ = try await bench.inventory.acquire(bench.disk.busID, for: bench.taka, session: first)
    await bench.inventory.release(session: SessionNumber(2))
    #expect(await bench.shownDisk?.state == .inUse)
    await bench.inventory.release(session: first)
    await bench.inventory.release(session: first)
    #expect(bench.done.count { $0 == .returned(bench.disk.busID, configuration: 1) } == 1)
  }

  @Test func theConfigurationItHadIsGivenBack() async throws {
    var device = bench.disk
    device.configurationValue = 3
    await bench.inventory.update(device)
    _ = try await bench.inventory.acquire(device.busID, for: bench.taka, session: first)
    // The importer's driver chose another; an event tells us while it is held.
    device.configurationValue = 2
    await bench.inventory.update(device)
    await bench.inventory.release(session: first)
    #expect(bench.done.last == .returned(device.busID, configuration: 3))
  }

  @Test func aHeldDeviceKeepsWhatWasKnownOfIt() async throws {
    await bench.inventory.update(bench.disk)
    _ = try await bench.inventory.acquire(bench.disk.busID, for: bench.taka, session: first)
    var bare = DeviceSamples.disk(driver: nil)
    bare.product = nil
    await bench.inventory.update(bare)
    #expect(await bench.shownDisk?.device == bench.disk)
  }

  @Test func oneUnpluggedWhileHeldIsGoneAndForgottenWithItsSession() async throws {
    await bench.inventory.update(bench.disk)
    _ = try await bench.inventory.acquire(bench.disk.busID, for: bench.taka, session: first)
    await bench.inventory.remove(bench.disk.busID)
    #expect(await bench.shownDisk == nil)
    #expect(await bench.refusal(for: bench.hiro, session: 2)?.kind == .unknownDevice)

    await bench.inventory.release(session: first)
    #expect(await bench.undo.record.isEmpty)
    // Its port on the hub must be let go of, or the next device there finds no driver.
    #expect(bench.done.last == .returned(bench.disk.busID, configuration: nil))
    #expect(await bench.shownDisk == nil)
  }

  @Test func oneReplacedWhileHeldIsInUseUntilTheSessionEnds() async throws {
    await bench.inventory.update(bench.disk)
    _ = try await bench.inventory.acquire(bench.disk.busID, for: bench.taka, session: first)
    await bench.inventory.remove(bench.disk.busID)
    var other = DeviceSamples.disk()
    other.serial = "FFFF0002"
    other.deviceNumber = 9
    other.configurationValue = 2
    await bench.inventory.update(other)
    #expect(await bench.shownDisk?.device == other)
    #expect(await bench.shownDisk?.state == .inUse)
    #expect(await bench.refusal(for: bench.hiro, session: 2)?.kind == .inUse)

    await bench.inventory.release(session: first)
    #expect(await bench.shownDisk?.state == .available)
    let (device, claim) = try await bench.inventory.acquire(
      other.busID, for: bench.hiro, session: SessionNumber(2))
    #expect(device == other)
    withExtendedLifetime(claim) {}
  }

  @Test func oneUnpluggedWhileItIsBeingTakenIsForgotten() async throws {
    await bench.inventory.update(bench.disk)
    bench.door.claiming.close()
    let busID = bench.disk.busID
    let task = Task { await bench.refusal(for: bench.taka, session: 1) }
    try await bench.door.log.wait { $0.contains(.claiming(busID, isRecorded: true)) }
    await bench.inventory.remove(busID)
    await bench.door.failClaims(with: AgentError(.unreachable, "ENODEV"))
    bench.door.claiming.open()
    #expect(await task.value?.message == "ENODEV")
    #expect(await bench.inventory.devices().isEmpty)
    #expect(await bench.undo.record.isEmpty)
  }

  @Test func aDeviceThatIsStillHeldStaysRecorded() async throws {
    await bench.inventory.update(bench.disk)
    let (_, claim) = try await bench.inventory.acquire(
      bench.disk.busID, for: bench.taka, session: first)
    await bench.inventory.release(session: first)
    #expect(bench.done.last == .returnedWhileClaimed(bench.disk.busID))
    // The next start of the agent finds it in the record and tries again.
    #expect(await bench.undo.record.claimed == [bench.disk.busID])
    withExtendedLifetime(claim) {}
  }

  @Test func anUndoRecordThatCannotBeClearedStopsNothing() async throws {
    await bench.inventory.update(bench.disk)
    _ = try await bench.inventory.acquire(bench.disk.busID, for: bench.taka, session: first)
    await bench.undo.fail(with: AgentError(.failed, "no room"))
    await bench.inventory.release(session: first)
    #expect(await bench.shownDisk?.state == .available)
  }
}
