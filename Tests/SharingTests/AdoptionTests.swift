// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import Sharing
import TestSupport
import Testing
import USBModel

/// Devices that an agent before this one gave to a session.
@Suite struct AdoptionTests {
  let bench = SharingBench()
  let session = SessionNumber(1)

  @Test func itIsInUseUntilItsSessionEnds() async throws {
    await bench.inventory.adopt(bench.disk, for: bench.taka, session: session)
    // Not shown before the kernel is known to have it.
    #expect(await bench.shownDisk == nil)
    await bench.inventory.update(bench.disk)
    #expect(await bench.shownDisk?.state == .inUse)
    #expect(await bench.shownDisk?.user == bench.taka)
    #expect(await bench.refusal(for: bench.hiro, session: 2)?.kind == .inUse)
    #expect(bench.done.isEmpty)

    await bench.inventory.release(session: session)
    #expect(bench.done == [.returned(bench.disk.busID, configuration: 1)])
    #expect(await bench.shownDisk?.state == .available)
  }

  @Test func itIsKnownAsItWasBeforeItWasTaken() async throws {
    await bench.inventory.adopt(bench.disk, for: bench.taka, session: session)
    // As the kernel shows it while a session has it: no drivers, no strings.
    var bare = bench.disk
    bare.product = nil
    bare.interfaces = bare.interfaces.map {
      Interface(number: $0.number, classCode: $0.classCode, driver: "usbfs")
    }
    await bench.inventory.update(bare)
    #expect(await bench.shownDisk?.device == bench.disk)
    // Only the listing is borne: one that is plugged in later is another device.
    await bench.inventory.remove(bench.disk.busID)
    await bench.inventory.update(bare)
    #expect(await bench.shownDisk?.device == bare)
  }

  @Test func oneThatIsNotListedAnyMoreIsGoneWithItsSession() async throws {
    await bench.inventory.adopt(bench.disk, for: bench.taka, session: session)
    await bench.inventory.release(session: session)
    #expect(await bench.inventory.devices().isEmpty)
    // What keeps drivers from its port goes all the same.
    #expect(bench.done == [.returned(bench.disk.busID, configuration: nil)])
  }
}
