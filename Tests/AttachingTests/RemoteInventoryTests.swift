// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import Attaching
import Testing

@Suite struct RemoteInventoryTests {
  let disk = AttachingBench.remote("1-1.2")
  let start = ContinuousClock.now

  @Test func anAnnouncementIsTakenOnce() {
    var inventory = RemoteInventory()
    let isNew = inventory.found(disk, source: "s1")
    let isNewAgain = inventory.found(disk, source: "s1")
    #expect(isNew && !isNewAgain)
    #expect(inventory.devices == [disk])
    #expect(inventory.device(disk.key) == disk)
  }

  @Test func aChangedStateIsAChange() {
    var inventory = RemoteInventory()
    _ = inventory.found(disk, source: "s1")
    var used = disk
    used.state = .inUse
    used.user = RemoteUser(user: "hiro", host: "gamma")
    let isChange = inventory.found(used, source: "s1")
    #expect(isChange)
    #expect(inventory.device(disk.key)?.state == .inUse)
  }

  @Test func whatIsAnnouncedNoMoreIsOfflineForAWhile() {
    var inventory = RemoteInventory()
    _ = inventory.found(disk, source: "s1")
    let isLost = inventory.lost(source: "s1", reason: "silent", now: start)
    let isLostAgain = inventory.lost(source: "s1", reason: "silent", now: start)
    #expect(isLost && !isLostAgain)
    let shown = inventory.device(disk.key)
    #expect(shown?.state == .offline)
    #expect(shown?.reason == "silent")
    #expect(shown?.user == .nobody)

    inventory.expire(now: start + RemoteInventory.offlineListing - .seconds(1))
    #expect(inventory.devices.count == 1)
    inventory.expire(now: start + RemoteInventory.offlineListing)
    #expect(inventory.devices.isEmpty)
  }

  @Test func whatComesBackIsNotForgotten() {
    var inventory = RemoteInventory()
    _ = inventory.found(disk, source: "s1")
    _ = inventory.lost(source: "s1", reason: "silent", now: start)
    let isBack = inventory.found(disk, source: "s1")
    #expect(isBack)
    #expect(inventory.device(disk.key)?.state == .available)
    inventory.expire(now: start + RemoteInventory.offlineListing * 2)
    #expect(inventory.devices == [disk])
  }

  @Test func whatNeverWasAnnouncedIsNotLost() {
    var inventory = RemoteInventory()
    let isLost = inventory.lost(source: "s1", reason: "silent", now: start)
    #expect(!isLost)
  }

  /// Plugged into another place: announced under a new name before the old one is taken back.
  @Test func aDeviceThatMovedIsOneDevice() {
    var inventory = RemoteInventory()
    _ = inventory.found(disk, source: "alpha 1-1.2")
    var moved = disk
    moved.busID = "1-4"
    _ = inventory.found(moved, source: "alpha 1-4")
    let isLost = inventory.lost(source: "alpha 1-1.2", reason: "silent", now: start)
    #expect(!isLost)
    #expect(inventory.devices == [moved])
  }

  @Test func anotherDeviceInTheSamePlaceReplacesTheFirst() {
    var inventory = RemoteInventory()
    _ = inventory.found(disk, source: "alpha 1-1.2")
    var other = disk
    other.key = "alpha/other"
    _ = inventory.found(other, source: "alpha 1-1.2")
    #expect(inventory.devices == [other])
  }

  @Test func oneSourceDoesNotTakeAnothersDevices() {
    var inventory = RemoteInventory()
    let mouse = AttachingBench.remote("2-3")
    _ = inventory.found(disk, source: "s1")
    _ = inventory.found(mouse, source: "s2")
    _ = inventory.lost(source: "s1", reason: "silent", now: start)
    #expect(inventory.device(mouse.key)?.state == .available)
    #expect(inventory.device(disk.key)?.state == .offline)
  }

  @Test func sourcesAreFoundByTheirBeginning() {
    var inventory = RemoteInventory()
    _ = inventory.found(disk, source: "peer alpha:3240 1-1.2")
    _ = inventory.found(AttachingBench.remote("2-3"), source: "peer delta:3240 2-3")
    #expect(inventory.sources(startingWith: "peer alpha:3240 ") == ["peer alpha:3240 1-1.2"])
    _ = inventory.lost(source: "peer alpha:3240 1-1.2", reason: "silent", now: start)
    #expect(inventory.sources(startingWith: "peer alpha:3240 ").isEmpty)
  }

  @Test func aFloodOfAnnouncementsIsBounded() {
    var inventory = RemoteInventory()
    for number in 0..<(RemoteInventory.maximumDevices + 10) {
      _ = inventory.found(AttachingBench.remote("1-\(number)"), source: "s\(number)")
    }
    #expect(inventory.devices.count == RemoteInventory.maximumDevices)
    // Those known already still change.
    var used = AttachingBench.remote("1-0")
    used.state = .inUse
    let isChange = inventory.found(used, source: "s0")
    #expect(isChange)
  }
}
