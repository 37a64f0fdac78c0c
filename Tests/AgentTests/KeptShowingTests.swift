// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import TestSupport
import Testing

@testable import Agent
@testable import Attaching

@Suite struct KeptShowingTests {
  let now = ContinuousClock.now
  let taka = RemoteUser(user: "taka", host: "beta")
  var loader: RemoteDevice {
    var loader = AgentBench.remote("Loader", id: "0483:df11/1")
    loader.vendorID = "0483"
    loader.productID = "df11"
    return loader
  }

  private func kept(standIn: RemoteDevice?) throws -> KeptDevices.Entry {
    var kept = KeptDevices()
    let device = AgentBench.remote()
    _ = try kept.keep(KeptDevices.Entry(user: taka, device: device))
    _ = kept.replace(device.key, by: standIn)
    return try #require(kept.entries[device.key])
  }

  private func shown(
    _ entry: KeptDevices.Entry, from status: DeviceStatus = DeviceSamples.mouseStatus,
    standIn: LocalState? = nil, retry: KeptRetry? = nil, isSleeping: Bool = false
  ) -> DeviceStatus {
    var status = status
    status.showKept(entry, standIn: standIn, retry: retry, isSleeping: isSleeping, now: now)
    return status
  }

  @Test func oneThatIsAttachedIsJustKept() throws {
    let status = shown(try kept(standIn: nil), from: DeviceSamples.opticalStatus, isSleeping: true)
    #expect(status.isKept == true)
    #expect(status.localState == .attached)
    #expect(status.reason == nil)
  }

  @Test func oneThatIsAwaySaysWhenItIsTried() throws {
    let entry = try kept(standIn: nil)
    let retry = KeptRetry(due: now + .milliseconds(3200), reason: "gone", isFlapping: true)
    let status = shown(entry, retry: retry)
    #expect(status.localState == .retrying)
    #expect(status.nextTry == 4)
    #expect(status.reason == "next try in 4 s: gone; it comes and goes")
    #expect(shown(entry).reason == "it is tried now")
  }

  @Test func oneThatIsTriedSaysSoUntilItIsAttached() throws {
    let entry = try kept(standIn: nil)
    var tried = DeviceSamples.mouseStatus
    tried.localState = .attaching
    let retry = KeptRetry(due: now + .seconds(9), reason: "gone", isFlapping: false)
    let status = shown(entry, from: tried, retry: retry)
    #expect(status.localState == .retrying)
    #expect(status.nextTry == 0)
    #expect(status.reason == "it is tried now: gone")
    // The first try is that of a person, who waits for it.
    #expect(shown(entry, from: tried).localState == .attaching)
  }

  @Test func oneInWhosePlaceAnotherOneIsSaysSo() throws {
    let entry = try kept(standIn: loader)
    let attached = shown(entry, standIn: .attached)
    #expect(attached.localState == .retrying)
    #expect(attached.nextTry == nil)
    #expect(attached.reason == "Loader came up in its place and is attached")
    let retry = KeptRetry(due: now, reason: "Loader is not shared: rule 1", isFlapping: false)
    #expect(
      shown(entry, retry: retry).reason
        == "it is tried now: Loader is not shared: rule 1; Loader came up in its place")
  }

  @Test func whatStandsInSaysForWhat() {
    var status = DeviceSamples.opticalStatus
    status.showStandIn(for: 7, named: "Printer")
    #expect(status.standsInFor == 7)
    #expect(status.reason == "in place of 7: Printer")
    var mounted = DeviceSamples.mountedStatus
    mounted.showStandIn(for: 7, named: "Printer")
    #expect(mounted.reason == "sdb1 is mounted on /home")
  }

  @Test func theListShowsBoth() async throws {
    let tree = try SysfsTree()
    let before = try AgentBench(tree)
    var kept = KeptDevices()
    let device = AgentBench.remote()
    _ = try kept.keep(KeptDevices.Entry(user: taka, device: device))
    _ = kept.replace(device.key, by: loader)
    try await KeptFile(path: before.places.kept).write(kept)

    let bench = try AgentBench(tree)
    await bench.kept.load()
    await bench.catalogue.found(loader, source: "s1")
    let listed = await bench.catalogue.list()
    let own = try #require(listed.first { $0.isKept == true })
    #expect(own.name == "Optical Storage")
    #expect(own.reason == "it is tried now; Loader came up in its place")
    let other = try #require(listed.first { $0.name == "Loader" })
    #expect(other.standsInFor == own.id)
    #expect(other.reason == "in place of \(own.id): Optical Storage")

    // It is itself again.
    await bench.catalogue.lost(source: "s1", reason: "its exporter does not announce it now")
    await bench.catalogue.found(device, source: "s2")
    let after = await bench.catalogue.list()
    #expect(after.allSatisfy { $0.standsInFor == nil })
    #expect(await KeptFile(path: bench.places.kept).read().entries[device.key]?.standIn == nil)
  }
}
