// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import Attaching
import LinuxHost
import Logging
import SystemPackage
import TestSupport
import Testing
import USBModel

@testable import Agent

/// When controllers are made anew, and what is told of them.
///
/// The tree's kernel does nothing by itself.
@Suite(.timeLimit(.minutes(1))) struct SequenceWatchTests {
  let tree: SysfsTree
  static let renewal: UInt64 = 10_000

  init() throws {
    tree = try SysfsTree()
    try tree.addVirtualHost(controllers: 3, portsPerHub: 2)
    for controller in 0..<3 {
      try tree.addVirtualHub(controller: controller, bus: 3 + 2 * controller, isSuperSpeed: false)
      try tree.addVirtualHub(controller: controller, bus: 4 + 2 * controller, isSuperSpeed: true)
      try tree.makeDirectory(FilePath("sys/devices/platform/vhci_hcd.\(controller)/driver"))
    }
  }

  func watch() -> SequenceWatch {
    var places = Places()
    places.sysfs = tree.sys
    places.procfs = tree.proc
    places.runtime = tree.run
    return SequenceWatch(places: places, renewal: Self.renewal, log: AgentBench.log)
  }

  /// Sets the state of one port.
  func set(_ number: Int, _ state: VirtualPort.State) throws {
    var ports = try VirtualHost(sysfs: Sysfs(root: tree.sys)).ports()
    ports[number].state = state
    try tree.setVirtualPorts(ports)
  }

  /// What the kernel does when a driver is taken off a controller and given back: hubs with other inodes.
  func makeAnew(controller: Int, bus: Int) throws {
    try tree.addVirtualHub(controller: controller, bus: bus + 20, isSuperSpeed: false)
    try tree.addVirtualHub(controller: controller, bus: bus + 21, isSuperSpeed: true)
    tree.removeVirtualHub(controller: controller, bus: bus)
    tree.removeVirtualHub(controller: controller, bus: bus + 1)
  }

  @Test func aFreshControllerIsLeftAlone() async throws {
    let watch = watch()
    try tree.setURBs("4999", controller: 1, bus: 5)
    await watch.look()
    #expect(await watch.wornControllers.isEmpty)
    #expect(try tree.takeDriverFile("unbind").isEmpty)
    let reports = await watch.reports
    #expect(reports.count == 6)
    #expect(
      reports[2]
        == ControllerReport(controller: 1, isSuperSpeed: false, used: 9998, state: .fresh))
  }

  @Test func aWornControllerIsMadeAnewOnceItIsEmpty() async throws {
    let watch = watch()
    try tree.setURBs("5000", controller: 1, bus: 5)
    try set(4, .used)
    await watch.look()
    #expect(await watch.wornControllers == [1])
    #expect(await watch.state(port: 4) == .worn)
    #expect(await watch.state(port: 0) == .fresh)
    #expect(try tree.takeDriverFile("unbind").isEmpty)
    // Its device goes: it is still worn, and empty.
    tree.removeVirtualHub(controller: 1, bus: 5, device: "1")
    try set(4, .free)
    tree.remove("sys/devices/platform/vhci_hcd.1/driver")
    await watch.look()
    #expect(try tree.takeDriverFile("unbind") == "vhci_hcd.1")
    #expect(try tree.takeDriverFile("bind") == "vhci_hcd.1")
    try makeAnew(controller: 1, bus: 5)
    await watch.look()
    #expect(await watch.wornControllers.isEmpty)
    #expect(await watch.reports.allSatisfy { $0.used == 0 })
    #expect(try tree.takeDriverFile("unbind").isEmpty)
  }

  @Test func theControllerWithTheControlFilesIsNever() async throws {
    let watch = watch()
    try tree.setURBs("5000", controller: 0, bus: 3)
    tree.removeVirtualHub(controller: 0, bus: 3, device: "2")
    await watch.look()
    #expect(await watch.wornControllers == [0])
    #expect(try tree.takeDriverFile("unbind").isEmpty)
  }

  @Test func beforeTheEndItsDevicesAreNamed() async throws {
    let watch = watch()
    try tree.setURBs("7500", controller: 2, bus: 8)
    try set(10, .used)
    await watch.look()
    #expect(await watch.state(port: 10) == .ending)
    #expect(await watch.state(port: 8) == .fresh)
    #expect(await watch.reports.last?.state == .ending)
  }

  @Test func whatWasSeenOutlivesTheAgent() async throws {
    try tree.setURBs("4000", controller: 1, bus: 5)
    await watch().look()
    tree.removeVirtualHub(controller: 1, bus: 5, device: "1")
    let next = watch()
    await next.look()
    #expect(await next.reports[2].used == 2 * 8000)
  }

  /// Killed between taking the driver off and giving it back.
  @Test func aControllerWithoutItsDriverGetsItBack() async throws {
    try StateFile(path: tree.run.appending("sequences.json"))
      .writeRecord(SequenceRecord(unbound: [2]))
    tree.remove("sys/devices/platform/vhci_hcd.2/driver")
    let watch = watch()
    await watch.look()
    #expect(try tree.takeDriverFile("bind") == "vhci_hcd.2")
    await watch.look()
    #expect(try tree.takeDriverFile("bind").isEmpty)
  }

  @Test func aKernelThatRefusesIsAskedAgain() async throws {
    let watch = watch()
    try tree.setURBs("5000", controller: 1, bus: 5)
    tree.remove("sys/bus/platform/drivers/vhci_hcd/unbind")
    await watch.look()
    await watch.look()
    try tree.write("", to: "sys/bus/platform/drivers/vhci_hcd/unbind")
    await watch.look()
    #expect(try tree.takeDriverFile("unbind") == "vhci_hcd.1")
  }

  @Test func aBrokenFileCountsAsNone() async throws {
    try tree.write("{\"budget\": 1}", to: "run/sequences.json")
    let watch = watch()
    await watch.look()
    #expect(await watch.reports.count == 6)
  }

  @Test func portsOfAWornControllerComeLast() async throws {
    let bench = try AgentBench(tree)
    try tree.setURBs("5000", controller: 0, bus: 3)
    await bench.sequences.look()
    let door = KernelAttachDoor(
      places: bench.places,
      sessions: SessionHost(
        executable: "/nonexistent", confinement: try SessionConfinement(places: bench.places),
        inventory: bench.inventory, exports: bench.exports, hostName: "beta", port: 3240,
        log: AgentBench.log),
      sequences: bench.sequences)
    #expect(try await door.freePorts(for: .high) == [4, 8, 5, 9, 0, 1])
  }

  @Test func statusTellsOfEachHalf() async throws {
    let bench = try AgentBench(tree)
    let reply = try await bench.reply(#"{"method":"org.devconfig.Agent.Status","parameters":{}}"#)
    let results = try Message.decodeReply(AgentCalls.StatusResults.self, from: Array(reply.utf8))
      .parameters
    #expect(results.controllers?.count == 6)
  }
}
