// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import Attaching
import Sharing
import SystemPackage
import TestSupport
import Testing

@testable import Agent

@Suite struct CatalogueTests {
  @Test func numbersSurviveARestartAndAReplug() async throws {
    let tree = try SysfsTree()
    let before = try AgentBench(tree)
    try tree.add(DeviceSamples.disk())
    await before.inventory.update(DeviceSamples.disk())
    _ = await before.catalogue.list()
    await before.catalogue.found(AgentBench.remote(), source: "s1")
    await before.catalogue.found(AgentBench.remote("Scanner", id: "04b8:0110@1-2"), source: "s2")
    #expect(await before.catalogue.list().map(\.id) == [1, 2, 3])

    // Another order, another port of this machine, and one that is new.
    let after = try AgentBench(tree)
    await after.catalogue.found(AgentBench.remote("Scanner", id: "04b8:0110@1-2"), source: "s2")
    await after.catalogue.found(AgentBench.remote("New", id: "1111:2222/1"), source: "s3")
    await after.catalogue.found(AgentBench.remote(), source: "s1")
    try tree.add(DeviceSamples.disk("1-4"))
    await after.inventory.update(DeviceSamples.disk("1-4"))
    #expect(
      await after.catalogue.list().map { "\($0.id) \($0.name)" } == [
        "1 SanDisk Cruzer Blade", "2 Optical Storage", "3 Scanner", "4 New",
      ])
  }

  @Test func theSameDeviceOnAnotherMachineIsAnotherDevice() async throws {
    let bench = try AgentBench()
    await bench.catalogue.found(AgentBench.remote(), source: "s1")
    await bench.catalogue.found(AgentBench.remote(agent: "gamma-agent"), source: "s2")
    #expect(await bench.catalogue.list().map(\.id) == [1, 2])
  }

  @Test func ownAnnouncementsAreNotOthers() async throws {
    let bench = try AgentBench()
    await bench.catalogue.found(AgentBench.remote(agent: "beta-agent"), source: "s1")
    #expect(await bench.catalogue.list().isEmpty)
  }

  @Test func whatIsAnnouncedNoMoreIsOffline() async throws {
    let bench = try AgentBench()
    await bench.catalogue.found(AgentBench.remote(), source: "s1")
    await bench.catalogue.lost(source: "s1", reason: "its exporter does not announce it now")
    let status = try #require(await bench.catalogue.list().first)
    #expect(status.remoteState == .offline)
    #expect(status.reason == "its exporter does not announce it now")
  }

  @Test func aNumberOfADeviceNobodyAnnouncesIsRemembered() async throws {
    let tree = try SysfsTree()
    let before = try AgentBench(tree)
    await before.catalogue.found(AgentBench.remote(), source: "s1")
    // What nobody has seen need not be remembered.
    #expect(await before.catalogue.list().map(\.id) == [1])
    let after = try AgentBench(tree)
    let error = await #expect(throws: AgentError.self) { try await after.catalogue.find("1") }
    #expect(error?.kind == .unreachable)
    #expect(error?.message == "1: Optical Storage is OFFLINE: alpha does not announce it now")
    #expect(error?.hint.contains("alpha") == true)
    let unknown = await #expect(throws: AgentError.self) { try await after.catalogue.find("2") }
    #expect(unknown?.kind == .unknownDevice)
  }

  @Test func aGivenNameReplacesTheOwnOneEverywhereAndSurvivesARestart() async throws {
    let tree = try SysfsTree()
    let before = try AgentBench(tree)
    await before.catalogue.found(AgentBench.remote(), source: "s1")
    let outcome = try await before.catalogue.give(try GivenName("Burner"), to: "optical")
    #expect(outcome.changed)
    #expect(outcome.device.name == "Burner")
    #expect(outcome.device.deviceName == "Optical Storage")
    #expect(try await !before.catalogue.give(try GivenName("Burner"), to: "1").changed)

    let after = try AgentBench(tree)
    // Known by name while nobody announces it.
    let error = await #expect(throws: AgentError.self) { try await after.catalogue.find("burner") }
    #expect(error?.message == "1: Burner is OFFLINE: alpha does not announce it now")
    await after.catalogue.found(AgentBench.remote(), source: "s1")
    for selector in ["burner", "BURNER", "alpha/Burner", "Optical Storage", "alpha/optical"] {
      guard case .remote(let status, _) = try await after.catalogue.find(selector) else {
        Issue.record("\(selector) found a device of this machine")
        continue
      }
      #expect(status.id == 1)
    }
    #expect(try await after.catalogue.give(nil, to: "burner").device.name == "Optical Storage")
    #expect(await after.catalogue.list().map(\.deviceName) == [nil])
  }

  @Test func aNameOfADeviceOfThisMachineIsAnnounced() async throws {
    let bench = try AgentBench()
    try bench.tree.add(DeviceSamples.disk())
    await bench.inventory.update(DeviceSamples.disk())
    var changes = bench.inventory.changes.makeAsyncIterator()
    await changes.next()
    _ = try await bench.catalogue.give(try GivenName("Stempel"), to: "cruzer")
    await changes.next()
    let devices = await bench.inventory.devices()
    let names = await bench.catalogue.identities(of: devices).names
    #expect(names.values.map(\.description) == ["Stempel"])
  }

  @Test func theFirstOfTwoWithOneSerialKeepsItsNumber() async throws {
    let bench = try AgentBench()
    for place in ["1-1.2", "1-1.3"] {
      try bench.tree.add(DeviceSamples.disk(place))
      await bench.inventory.update(DeviceSamples.disk(place))
      #expect(await bench.catalogue.list().first { $0.busID == "1-1.2" }?.id == 1)
    }
    #expect(await bench.catalogue.list().map(\.busID) == ["1-1.2", "1-1.3"])
    // Each alone is still known by its place.
    await bench.inventory.remove(DeviceSamples.busID("1-1.2"))
    #expect(await bench.catalogue.list().map { "\($0.id) \($0.busID)" } == ["2 1-1.3"])
    let again = try AgentBench(bench.tree)
    await again.inventory.update(DeviceSamples.disk("1-1.3"))
    #expect(await again.catalogue.list().map { "\($0.id) \($0.busID)" } == ["2 1-1.3"])
  }

  @Test func aNumberFollowsWhenTheExporterTellsTwinsApart() async throws {
    let bench = try AgentBench()
    var device = AgentBench.remote()
    await bench.catalogue.found(device, source: "s1")
    let place = "\(device.vendorID):\(device.productID)@\(device.busID)"
    device.key = LocalKeys.key(agent: try #require(device.exporter.agent), identity: place)
    device.identity = place
    await bench.catalogue.found(device, source: "s1")
    #expect(await bench.catalogue.list().map(\.id) == [1])

    // One that was unplugged in between may be another one.
    await bench.catalogue.found(AgentBench.remote("New", id: "1111:2222/9"), source: "s2")
    await bench.catalogue.lost(source: "s2", reason: "gone")
    var other = AgentBench.remote("New", id: "1111:2222@1-2")
    other.vendorID = "1111"
    other.productID = "2222"
    other.busID = "1-2"
    await bench.catalogue.found(other, source: "s2")
    #expect(await bench.catalogue.list().map(\.id) == [1, 3])
  }

  @Test func aConfiguredExporterIsReplacedAsAWhole() async throws {
    let bench = try AgentBench()
    func device(_ busID: String) -> RemoteDevice {
      var device = AgentBench.remote(
        "Stick \(busID)", id: "1111:2222@\(busID)", agent: "delta:3240")
      device.busID = busID
      return device
    }
    let prefix = "peer delta:3240 "
    await bench.catalogue.replace(
      prefix: prefix, devices: [device("1-1"), device("1-2")], missing: "gone")
    await bench.catalogue.found(AgentBench.remote(), source: "s1")
    await bench.catalogue.replace(
      prefix: prefix, devices: [device("1-2"), device("1-3")], missing: "gone")
    let states = await bench.catalogue.list().map { "\($0.name) \($0.remoteState.rawValue)" }
    #expect(
      states == [
        "Stick 1-1 OFFLINE", "Stick 1-2 AVAIL", "Optical Storage AVAIL", "Stick 1-3 AVAIL",
      ]
    )
    await bench.catalogue.replace(prefix: prefix, devices: [], missing: "delta does not answer")
    #expect(
      await bench.catalogue.list().filter { $0.host == "alpha" && $0.remoteState == .offline }
        .map(\.reason) == [
          "gone", "delta does not answer", "delta does not answer",
        ])
  }

  @Test func whatIsShownIsWrittenDownHoweverManyComeAtOnce() async throws {
    let tree = try SysfsTree()
    let before = try AgentBench(tree)
    let devices = (0..<400).map { AgentBench.remote("Stick \($0)", id: "04b8:0110/\($0)") }
    await withDiscardingTaskGroup { group in
      for device in devices {
        group.addTask { await before.catalogue.found(device, source: device.key) }
        group.addTask { _ = await before.catalogue.list() }
      }
    }
    let shown = await before.catalogue.list().map { "\($0.id) \($0.name)" }
    #expect(shown.count == 400)

    let after = try AgentBench(tree)
    for device in devices.reversed() { await after.catalogue.found(device, source: device.key) }
    #expect(await after.catalogue.list().map { "\($0.id) \($0.name)" } == shown)
  }

  @Test func numbersThatCannotBeWrittenAreKeptInMemory() async throws {
    let bench = try AgentBench()
    bench.tree.remove("var")
    await bench.catalogue.found(AgentBench.remote(), source: "s1")
    await bench.catalogue.found(AgentBench.remote("Scanner", id: "04b8:0110@1-2"), source: "s2")
    #expect(await bench.catalogue.list().map(\.id) == [1, 2])
    #expect(await bench.catalogue.list().map(\.id) == [1, 2])
  }

  @Test(arguments: ["", "garbage", "{}", #"{"entries":[],"next":1}"#])
  func aBrokenFileOfNumbersStartsAtOne(content: String) async throws {
    let tree = try SysfsTree()
    try tree.write(content, to: "var/numbers.json")
    let bench = try AgentBench(tree)
    await bench.catalogue.found(AgentBench.remote(), source: "s1")
    #expect(await bench.catalogue.list().map(\.id) == [1])
  }
}
