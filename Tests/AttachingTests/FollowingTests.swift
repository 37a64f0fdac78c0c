// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import TestSupport
import Testing
import USBModel

@testable import Attaching

extension KeepingBench {
  /// What the disk is while its firmware is written: another device on its port.
  static var loader: RemoteDevice { loader("df11") }

  /// The same with another product.
  static func loader(_ product: String) -> RemoteDevice {
    var loader = AttachingBench.remote("1-1.2", name: "Loader")
    loader.key = "alpha/0483:\(product)"
    loader.vendorID = "0483"
    loader.productID = product
    return loader
  }

  /// Has the exporter show the loader on the disk's port.
  func plugLoader(_ product: UInt16 = 0xDF11) async {
    var device = DeviceSamples.disk()
    device.vendorProduct = VendorProduct(vendor: 0x0483, product: product)
    await door.export(
      device, stages: [AttachingBench.seen(driver: "usbhid", nodes: ["/dev/hidraw0"])])
  }

  /// Has the exporter show the disk again.
  func plugDisk() async {
    await door.export(
      DeviceSamples.disk(),
      stages: [AttachingBench.seen(driver: "usb-storage", nodes: ["/dev/sdb"])])
  }

  /// Keeps the disk and turns it into the loader, which is attached then.
  func turnIntoLoader() async throws {
    _ = try await kept.keep(disk, for: taka)
    try await attached(times: 1)
    await plugLoader()
    await kept.announced(Self.loader)
    await door.cut(port: 0)
    try await attached(times: 2, Self.loader)
  }

  var standIn: RemoteDevice? {
    get async { await kept.devices.entries[disk.key]?.standIn }
  }
}

@Suite(.timeLimit(.minutes(1))) struct FollowingTests {
  let loader = KeepingBench.loader

  @Test func aDeviceThatComesBackAsAnotherIsFollowedThereAndBack() async throws {
    let bench = await KeepingBench()
    try await bench.run {
      try await bench.turnIntoLoader()
      #expect(await bench.standIn == loader)
      #expect(await bench.attachments.attachment(loader.key)?.user == bench.taka)
      #expect(await bench.attachments.attachment(bench.disk.key) == nil)
      #expect(await bench.kept.group(of: loader.key) == [bench.disk.key, loader.key])
      #expect(await bench.book.history.last?.entries[bench.disk.key]?.standIn == loader)

      await bench.plugDisk()
      await bench.kept.withdrawn(loader.key)
      await bench.door.cut(port: 0)
      await bench.kept.announced(bench.disk)
      try await bench.attached(times: 3)
      #expect(await bench.standIn == nil)
      #expect(await bench.attachments.attachment(loader.key) == nil)
      #expect(await bench.book.history.last?.entries[bench.disk.key]?.standIn == nil)
    }
  }

  @Test func theLossMayBeSeenBeforeTheAnnouncement() async throws {
    let bench = await KeepingBench()
    try await bench.run {
      _ = try await bench.kept.keep(bench.disk, for: bench.taka)
      try await bench.attached(times: 1)
      await bench.plugLoader()
      await bench.door.cut(port: 0)
      try await bench.waiting("the connection was lost")
      await bench.kept.announced(loader)
      try await bench.attached(times: 2, loader)
    }
  }

  @Test func aStandInWhoseLossNobodySawIsTakenOffFirst() async throws {
    let bench = await KeepingBench()
    try await bench.run {
      try await bench.turnIntoLoader()
      await bench.plugDisk()
      await bench.kept.announced(bench.disk)
      try await bench.attached(times: 3)
      #expect(bench.door.log.events.contains(.detaching(port: 0)))
      #expect(await bench.attachments.attachment(loader.key) == nil)
    }
  }

  @Test func theNextFormIsFollowedToo() async throws {
    let bench = await KeepingBench()
    let second = KeepingBench.loader("df12")
    try await bench.run {
      try await bench.turnIntoLoader()
      await bench.plugLoader(0xDF12)
      await bench.kept.withdrawn(loader.key)
      await bench.kept.announced(second)
      await bench.door.cut(port: 0)
      try await bench.attached(times: 3, second)
      #expect(await bench.standIn == second)
    }
  }

  @Test func whatTheExporterDeniesIsNotAttached() async throws {
    let bench = await KeepingBench()
    await bench.door.refuse("1-1.2 df11", with: AgentError(.denied, "Loader is not shared: rule 2"))
    try await bench.run {
      _ = try await bench.kept.keep(bench.disk, for: bench.taka)
      try await bench.attached(times: 1)
      await bench.plugLoader()
      var denied = loader
      denied.state = .denied
      await bench.kept.announced(denied)
      await bench.door.cut(port: 0)
      try await bench.waiting("Loader is not shared: rule 2")
      #expect(await bench.attachments.all().isEmpty)
      // Its exporter changes its mind.
      await bench.door.refuse("1-1.2 df11", with: nil)
      await bench.kept.announced(loader)
      try await bench.attached(times: 2, loader)
    }
  }

  @Test func whoLetsGoOfOneLetsGoOfBoth() async throws {
    let bench = await KeepingBench()
    try await bench.run {
      try await bench.turnIntoLoader()
      let keys = await bench.kept.group(of: loader.key)
      #expect(try await bench.kept.release(loader.key))
      for key in keys { _ = try await bench.attachments.down(key) }
      #expect(await bench.kept.devices.entries.isEmpty)
      #expect(await bench.attachments.all().isEmpty)
      #expect(await bench.kept.group(of: loader.key) == [loader.key])
    }
  }

  @Test func aStandInThatIsKeptItselfStandsInNoMore() async throws {
    let bench = await KeepingBench()
    try await bench.run {
      try await bench.turnIntoLoader()
      #expect(try await bench.kept.keep(loader, for: bench.taka))
      #expect(await bench.standIn == nil)
      #expect(await bench.kept.group(of: loader.key) == [loader.key])
    }
    #expect(await bench.book.history.last?.entries.count == 2)
  }

  @Test func aStandInIsRememberedOverARestart() async throws {
    var before = KeptDevices()
    let disk = AttachingBench.remote("1-1.2")
    _ = try before.keep(
      KeptDevices.Entry(user: RemoteUser(user: "taka", host: "beta"), device: disk))
    let isNew = before.replace(disk.key, by: loader)
    #expect(isNew)
    let bytes = try Message.encode(before)
    let bench = await KeepingBench(try Message.decode(KeptDevices.self, from: bytes.dropLast()))
    await bench.plugLoader()
    try await bench.run { try await bench.attached(times: 1, loader) }

    // The exporter says that it is the disk again, whatever was announced.
    let later = await KeepingBench(try Message.decode(KeptDevices.self, from: bytes.dropLast()))
    try await later.run { try await later.attached(times: 1) }
    #expect(await later.standIn == nil)
  }

  @Test func onlyAnotherKindOnTheSamePortOfTheSameExporterStandsIn() {
    let disk = AttachingBench.remote("1-1.2")
    #expect(disk.isReplaced(by: loader))
    var other = loader
    other.busID = "1-1.3"
    #expect(!disk.isReplaced(by: other))
    other = loader
    other.exporter.agent = "a2"
    #expect(!disk.isReplaced(by: other))
    other = loader
    (other.vendorID, other.productID) = (disk.vendorID, disk.productID)
    #expect(!disk.isReplaced(by: other), "another stick of the same make")
    var plain = disk
    plain.exporter.agent = nil
    other = loader
    other.exporter.agent = nil
    #expect(!plain.isReplaced(by: other), "its bus ID may be of another machine")
  }

  @Test(arguments: [(-31, false), (-30, true), (0, true), (30, true), (31, false)])
  func itStandsInWithinTheLimitOnly(seconds: Int, isFollowed: Bool) {
    let lost = ContinuousClock.now
    var following = Following()
    following.announced(loader, at: lost + .seconds(seconds))
    #expect(following.candidate == nil, "nothing was lost")
    following.lost(at: lost)
    #expect((following.candidate == loader) == isFollowed)
    // Said again later, it is there since the first time.
    following.announced(loader, at: lost + .seconds(seconds + 5))
    #expect((following.candidate == loader) == isFollowed)
  }

  @Test func theDeviceItselfComesFirst() {
    let lost = ContinuousClock.now
    var following = Following()
    following.lost(at: lost)
    following.announced(loader, at: lost)
    following.ownAnnounced()
    #expect(following.candidate == nil)
    // An announcement that was out of date: the exporter knows of no such device.
    following.ownAbsent()
    #expect(following.candidate == loader)
    following.withdrawn("alpha/another")
    #expect(following.isThere(loader.key))
    following.withdrawn(loader.key)
    #expect(following.candidate == nil)
  }

  @Test func aDeviceThatOnlyMovedStandsInForNone() async throws {
    let bench = await KeepingBench()
    try await bench.run {
      _ = try await bench.kept.keep(bench.disk, for: bench.taka)
      try await bench.attached(times: 1)
      await bench.door.unplug("1-1.2")
      await bench.kept.announced(loader, isMoved: true)
      await bench.door.cut(port: 0)
      try await bench.waiting("there is no device 1-1.2 on alpha")
      #expect(await bench.standIn == nil)
    }
  }
}
