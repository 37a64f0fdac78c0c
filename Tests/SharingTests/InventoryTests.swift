// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import SharePolicy
import Sharing
import TestSupport
import Testing
import USBModel

@Suite struct InventoryTests {
  let bench = SharingBench()

  @Test func aMountedDiskIsNotOfferedForAMoment() async throws {
    await bench.door.use(bench.disk.busID, .mounted(node: "sdb1", path: "/home"))
    bench.door.looking.close()
    let task = Task { await bench.inventory.update(bench.disk) }
    try await bench.door.log.wait { !$0.isEmpty }
    #expect(await bench.shownDisk == nil)
    bench.door.looking.open()
    await task.value
    #expect(await bench.shownDisk?.state == .denied)
  }

  @Test func whatTheMachineDoesNextShowsAfterALook() async {
    await bench.inventory.update(bench.disk)
    await bench.inventory.update(bench.mouse)
    await bench.door.use(bench.disk.busID, .swap(node: "sdb"))
    await bench.inventory.refresh()
    #expect(await bench.inventory.devices().map(\.state) == [.denied, .available])
    await bench.door.use(bench.disk.busID)
    await bench.inventory.refresh()
    #expect(await bench.shownDisk?.state == .available)
  }

  @Test func aHeldDeviceIsNotLookedAt() async throws {
    await bench.inventory.update(bench.disk)
    _ = try await bench.inventory.acquire(
      bench.disk.busID, for: bench.taka, session: SessionNumber(1))
    // The session itself has the device open: that is no use of this machine's.
    await bench.door.use(
      bench.disk.busID, .open(node: "001/004", program: "devconfig-session", process: 7))
    await bench.inventory.refresh()
    #expect(await bench.shownDisk?.state == .inUse)
  }

  @Test func aDeviceUnpluggedIsGone() async {
    await bench.inventory.update(bench.disk)
    await bench.inventory.update(bench.mouse)
    await bench.inventory.remove(bench.disk.busID)
    await bench.inventory.remove(bench.disk.busID)
    #expect(await bench.inventory.devices().map(\.device) == [bench.mouse])
  }

  @Test func aSuspendedMachineDeniesAllButWhatIsInUse() async throws {
    await bench.inventory.update(bench.disk)
    await bench.inventory.update(bench.mouse)
    _ = try await bench.inventory.acquire(
      bench.mouse.busID, for: bench.hiro, session: SessionNumber(1))
    await bench.inventory.suspend("TCP port 3240 is taken")
    let shown = await bench.inventory.devices()
    #expect(shown.map(\.state) == [.denied, .inUse])
    #expect(shown.first?.denial?.reason == "TCP port 3240 is taken")
    #expect(shown.first?.isAnnounced == true)
    let error = await bench.refusal(for: bench.taka, session: 2)
    #expect(error?.kind == .denied)
    #expect(error?.message.contains("TCP port 3240 is taken") == true)

    await bench.inventory.suspend(nil)
    #expect(await bench.shownDisk?.state == .available)
  }

  @Test func theMachinesOwnUseIsNamedBeforeTheSuspension() async {
    await bench.door.use(bench.disk.busID, .mounted(node: "sdb1", path: "/home"))
    await bench.inventory.update(bench.disk)
    await bench.inventory.suspend("TCP port 3240 is taken")
    #expect(await bench.shownDisk?.denial?.reason == "sdb1 is mounted on /home")
  }

  @Test func eachChangeIsSignalled() async throws {
    let changes = bench.changes
    var seen = changes.count
    func change(_ what: () async throws -> Void) async throws {
      try await what()
      try await changes.more(than: seen)
      seen = changes.count
    }
    try await change { await bench.inventory.update(bench.disk) }
    try await change { await bench.inventory.suspend("stopped") }
    try await change { await bench.inventory.suspend(nil) }
    try await change {
      await bench.door.use(bench.disk.busID, .swap(node: "sdb"))
      await bench.inventory.refresh()
    }
    try await change {
      await bench.door.use(bench.disk.busID)
      await bench.inventory.refresh()
    }
    try await changes.until { await bench.shownDisk?.state == .available }
    try await change { await bench.inventory.remove(bench.disk.busID) }
    #expect(await bench.inventory.devices().isEmpty)
  }

  @Test func aClaimIsSignalledBeforeItIsDone() async throws {
    await bench.inventory.update(bench.disk)
    bench.door.claiming.close()
    let task = Task {
      _ = try await bench.inventory.acquire(
        bench.disk.busID, for: bench.taka, session: SessionNumber(1))
    }
    try await bench.changes.until { await bench.shownDisk?.state == .inUse }
    bench.door.claiming.open()
    try await task.value
    let seen = bench.changes.count
    await bench.inventory.release(session: SessionNumber(1))
    try await bench.changes.more(than: seen)
    try await bench.changes.until { await bench.shownDisk?.state == .available }
  }

  @Test func devicesAreListedByBusAndPlace() async {
    for device in [bench.mouse, DeviceSamples.disk("1-4"), DeviceSamples.disk("1-1.2")] {
      await bench.inventory.update(device)
    }
    #expect(
      await bench.inventory.devices().map(\.device.busID.description) == ["1-1.2", "1-4", "2-3"])
  }

  @Test func moreDevicesThanTheKernelCanHaveAreIgnored() async {
    // A name of a bus ID in each place: 1-1.1.1 to 1-1.70.70.
    for number in 0..<4200 {
      await bench.inventory.update(DeviceSamples.disk("1-1.\(number / 70 + 1).\(number % 70 + 1)"))
    }
    #expect(await bench.inventory.devices().count == 4096)
  }
}
