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
    let after = try AgentBench(tree)
    let error = await #expect(throws: AgentError.self) { try await after.catalogue.find("1") }
    #expect(error?.kind == .unreachable)
    #expect(error?.message == "1: Optical Storage is OFFLINE: alpha does not announce it now")
    #expect(error?.hint.contains("alpha") == true)
    let unknown = await #expect(throws: AgentError.self) { try await after.catalogue.find("2") }
    #expect(unknown?.kind == .unknownDevice)
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
