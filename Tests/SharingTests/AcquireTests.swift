// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import SharePolicy
import Sharing
import TestSupport
import Testing
import USBModel

@Suite struct AcquireTests {
  let bench = SharingBench()

  @Test func aFreeDeviceIsGivenAndComesBack() async throws {
    await bench.inventory.update(bench.disk)
    #expect(await bench.shownDisk?.state == .available)

    let (device, claim) = try await bench.inventory.acquire(
      bench.disk.busID, for: bench.taka, session: SessionNumber(1))
    #expect(device == bench.disk)
    #expect(claim.busID == bench.disk.busID)
    #expect(bench.door.isClaimed(bench.disk.busID))
    #expect(await bench.shownDisk?.state == .inUse)
    #expect(await bench.shownDisk?.user == bench.taka)
    #expect(await bench.undo.record.claimed == [bench.disk.busID])
  }

  @Test func theUndoRecordIsWrittenBeforeTheKernelIsTouchedAndClearedAfter() async throws {
    await bench.inventory.update(bench.disk)
    _ = try await bench.inventory.acquire(
      bench.disk.busID, for: bench.taka, session: SessionNumber(1))
    #expect(
      bench.done == [
        .claiming(bench.disk.busID, isRecorded: true), .claimed(bench.disk.busID),
      ])
    await bench.inventory.release(session: SessionNumber(1))
    #expect(bench.done.last == .returned(bench.disk.busID, configuration: 1))
    #expect(await bench.undo.history.map(\.claimed) == [[bench.disk.busID], []])
    #expect(await bench.shownDisk?.state == .available)
    #expect(await bench.shownDisk?.user == .nobody)
  }

  @Test func ofTwoAtTheSameMomentOneGetsItAndTheOtherReadsWho() async throws {
    await bench.inventory.update(bench.disk)
    bench.door.claiming.close()
    async let first = bench.inventory.acquire(
      bench.disk.busID, for: bench.taka, session: SessionNumber(1))
    let busID = bench.disk.busID
    try await bench.door.log.wait { $0.contains(.claiming(busID, isRecorded: true)) }

    // The first is not through yet, and holds the device all the same.
    let error = try #require(await bench.refusal(for: bench.hiro, session: 2))
    #expect(error.kind == .inUse)
    #expect(error.message == "SanDisk Cruzer Blade is in use by taka@beta")
    #expect(await bench.shownDisk?.user == bench.taka)

    bench.door.claiming.open()
    #expect(try await first.device == bench.disk)
  }

  /// All have passed the first check when the look at the uses lets them go on together.
  @Test func ofManyWhoLookedTogetherExactlyOneGetsIt() async throws {
    await bench.inventory.update(bench.disk)
    bench.door.looking.close()
    let users = (1...20).map { RemoteUser(user: "user\($0)", host: "beta") }
    let outcomes = await withTaskGroup(
      of: (RemoteUser, Result<FakeClaim, AgentError>).self
    ) { group in
      for (index, user) in users.enumerated() {
        group.addTask { [bench] in
          do throws(AgentError) {
            let given = try await bench.inventory.acquire(
              bench.disk.busID, for: user, session: SessionNumber(UInt64(index + 1)))
            return (user, .success(given.claim))
          } catch {
            return (user, .failure(error))
          }
        }
      }
      // One look from `update` and one from each of the twenty.
      try? await bench.door.log.wait { $0.count == 21 }
      bench.door.looking.open()
      return await group.reduce(into: []) { $0.append($1) }
    }
    let winners = outcomes.filter { (try? $0.1.get()) != nil }.map(\.0)
    let winner = try #require(winners.first)
    #expect(winners.count == 1)
    for (_, outcome) in outcomes {
      guard case .failure(let error) = outcome else { continue }
      #expect(error.kind == .inUse)
      #expect(error.message.hasSuffix("is in use by \(winner)"))
    }
    #expect(bench.done.count { $0 == .claimed(bench.disk.busID) } == 1)
  }

  @Test func twoDevicesAreHeldByTwo() async throws {
    await bench.inventory.update(bench.disk)
    await bench.inventory.update(bench.mouse)
    _ = try await bench.inventory.acquire(
      bench.disk.busID, for: bench.taka, session: SessionNumber(1))
    let mouse = try await bench.inventory.acquire(
      bench.mouse.busID, for: bench.hiro, session: SessionNumber(2))
    #expect(await bench.inventory.devices().map(\.user) == [bench.taka, bench.hiro])
    await bench.inventory.release(session: SessionNumber(1))
    #expect(await bench.inventory.devices().map(\.state) == [.available, .inUse])
    withExtendedLifetime(mouse) {}
  }

  @Test func anUnknownDeviceIsUnknown() async {
    let error = await bench.refusal(for: bench.taka, session: 1)
    #expect(error?.kind == .unknownDevice)
    #expect(error?.message.contains("1-1.2") == true)
  }

  @Test func aDeviceInUseByItsMachineIsDeniedWithTheOwner() async throws {
    await bench.door.use(bench.disk.busID, .mounted(node: "sdb1", path: "/home"))
    await bench.inventory.update(bench.disk)
    let shown = try #require(await bench.shownDisk)
    #expect(shown.state == .denied)
    #expect(shown.denial?.reason == "sdb1 is mounted on /home")
    #expect(shown.isAnnounced)
    let error = await bench.refusal(for: bench.taka, session: 1)
    #expect(error?.kind == .denied)
    #expect(error?.message == "SanDisk Cruzer Blade is not shared: sdb1 is mounted on /home")
    #expect(bench.done.isEmpty)
  }

  @Test func aDiskMountedSinceTheLastLookIsRefused() async throws {
    await bench.inventory.update(bench.disk)
    #expect(await bench.shownDisk?.state == .available)
    await bench.door.use(bench.disk.busID, .mounted(node: "sdb1", path: "/mnt"))
    let error = await bench.refusal(for: bench.taka, session: 1)
    #expect(error?.kind == .denied)
    #expect(error?.message.contains("/mnt") == true)
    #expect(await bench.shownDisk?.state == .denied)
    #expect(bench.done.isEmpty)
    #expect(await bench.undo.history.isEmpty)
  }

  @Test func aDeviceThatCameOverTheNetworkIsNeverGiven() async {
    var imported = bench.disk
    imported.isImported = true
    await bench.inventory.update(imported)
    #expect(await bench.shownDisk?.isAnnounced == false)
    #expect(await bench.refusal(for: bench.taka, session: 1)?.kind == .denied)
  }

  @Test func aHubIsNeverGiven() async {
    let hub = DeviceSamples.hub()
    await bench.inventory.update(hub)
    #expect(await bench.inventory.devices().first?.isAnnounced == false)
    await #expect(throws: AgentError.self) {
      try await bench.inventory.acquire(hub.busID, for: bench.taka, session: SessionNumber(1))
    }
    #expect(bench.done.isEmpty)
  }

  @Test func aClaimThatFailsLeavesTheDeviceFree() async throws {
    await bench.inventory.update(bench.disk)
    await bench.door.failClaims(with: AgentError(.failed, "EBUSY from usbfs"))
    let error = await bench.refusal(for: bench.taka, session: 1)
    #expect(error == AgentError(.failed, "EBUSY from usbfs"))
    #expect(await bench.shownDisk?.state == .available)
    #expect(await bench.undo.record.isEmpty)
    // It may be half taken: it is given back.
    #expect(bench.done.last == .returned(bench.disk.busID, configuration: 1))

    await bench.door.failClaims(with: nil)
    _ = try await bench.inventory.acquire(
      bench.disk.busID, for: bench.hiro, session: SessionNumber(2))
    #expect(await bench.shownDisk?.user == bench.hiro)
  }

  @Test func whatCannotBeWrittenDownIsNotDone() async {
    await bench.inventory.update(bench.disk)
    await bench.undo.fail(with: AgentError(.failed, "no room in /run"))
    let error = await bench.refusal(for: bench.taka, session: 1)
    #expect(error?.message == "no room in /run")
    // Neither taken nor reset.
    #expect(bench.done.isEmpty)
    #expect(await bench.shownDisk?.state == .available)
  }
}
