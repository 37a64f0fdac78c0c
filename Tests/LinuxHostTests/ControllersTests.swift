// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import Glibc
import LinuxHost
import SystemPackage
import TestSupport
import Testing
import USBModel

/// Controllers of vhci_hcd: what their halves have done, and their driver.
@Suite struct ControllersTests {
  let tree: SysfsTree
  var host: VirtualHost { VirtualHost(sysfs: Sysfs(root: tree.sys)) }

  init() throws { tree = try SysfsTree() }

  @Test func withoutTheModuleThereAreNone() { #expect(host.hubs().isEmpty) }

  @Test func devicesAreCountedByTheirOwnHalf() throws {
    try tree.addVirtualHub(controller: 0, bus: 3, isSuperSpeed: false)
    try tree.addVirtualHub(controller: 0, bus: 4, isSuperSpeed: true)
    try tree.addVirtualHub(controller: 1, bus: 5, isSuperSpeed: false)
    try tree.setURBs("100", controller: 0, bus: 3)
    try tree.setURBs("200", controller: 0, bus: 3, device: "15")
    try tree.setURBs("7", controller: 0, bus: 3, device: "1.2")
    try tree.setURBs("300", controller: 1, bus: 5)
    let hubs = host.hubs()
    #expect(hubs.map(\.controller) == [0, 0, 1])
    #expect(hubs.map(\.isSuperSpeed) == [false, true, false])
    #expect(hubs.map { $0.urbs.values.sorted() } == [[7, 100, 200], [], [300]])
    #expect(Set(hubs.map(\.generation)).count == 3)
    #expect(host.hubs() == hubs)
  }

  @Test(arguments: [
    ("2147483647", 2_147_483_647), ("-2147483648", 2_147_483_648), ("-1", 4_294_967_295),
  ])
  func anIntThatWentOverIsReadOn(text: String, urbs: UInt64) throws {
    try tree.addVirtualHub(controller: 0, bus: 3, isSuperSpeed: false)
    try tree.setURBs(text, controller: 0, bus: 3)
    #expect(host.hubs().first.map { Array($0.urbs.values) } == [urbs])
  }

  @Test func whatMakesNoSenseIsLeftOut() throws {
    try tree.addVirtualHub(controller: 0, bus: 3, isSuperSpeed: false)
    try tree.setURBs("many", controller: 0, bus: 3)
    try tree.write("fast\n", to: "sys/devices/platform/vhci_hcd.0/usb4/speed")
    try tree.makeDirectory("sys/devices/platform/vhci_hcd.0/usbx")
    let hubs = host.hubs()
    #expect(hubs.map(\.isSuperSpeed) == [false])
    #expect(hubs.first?.urbs.isEmpty == true)
  }

  @Test func anEmptyControllerIsMadeAnew() throws {
    try tree.addVirtualHost(controllers: 2)
    try tree.addVirtualHub(controller: 1, bus: 5, isSuperSpeed: false)
    try host.renew(controller: 1, procfs: tree.proc)
    #expect(try tree.takeDriverFile("unbind") == "vhci_hcd.1")
    #expect(try tree.takeDriverFile("bind") == "vhci_hcd.1")
    #expect(try mode() == 0o444)
  }

  @Test func onlyAControllerWithoutDriverIsGivenIt() throws {
    try tree.addVirtualHost(controllers: 2)
    try tree.addVirtualHub(controller: 1, bus: 5, isSuperSpeed: false)
    #expect(!host.isBound(controller: 1))
    try host.bind(controller: 1)
    #expect(try tree.takeDriverFile("bind") == "vhci_hcd.1")
    try tree.makeDirectory("sys/devices/platform/vhci_hcd.1/driver")
    #expect(host.isBound(controller: 1))
    try host.bind(controller: 1)
    #expect(try tree.takeDriverFile("bind").isEmpty)
  }

  @Test func oneInUseAndTheOneWithTheControlFilesAreLeftAlone() throws {
    try tree.addVirtualHost(controllers: 2)
    try tree.addVirtualHub(controller: 1, bus: 5, isSuperSpeed: false)
    var ports = try host.ports()
    ports[59].state = .notAssigned
    try tree.setVirtualPorts(ports)
    try refuses(1, .resourceBusy)
    try refuses(0, .invalidArgument)
    try refuses(2, .noSuchFileOrDirectory)
  }

  /// Reading the status file of a controller that is made anew crashes the kernel.
  @Test func nobodyReadsMeanwhile() throws {
    try tree.addVirtualHost(controllers: 2)
    try tree.addVirtualHub(controller: 1, bus: 5, isSuperSpeed: false)
    let reader = try FileDescriptor.open(
      tree.sys.appending("devices/platform/vhci_hcd.0/status.1"), .readOnly)
    #expect(flock(reader.rawValue, LOCK_SH) == 0)
    try refuses(1, .wouldBlock)
    try reader.close()
    // Somebody who knows nothing of locks.
    try tree.addProcess(77, "usbip", links: ["/sys/devices/platform/vhci_hcd.0/status.1"])
    try refuses(1, .wouldBlock)
    #expect(try mode() == 0o444)
    tree.remove("proc/77")
    try tree.addProcess(78, "usbip", links: ["/sys/devices/platform/vhci_hcd.0/status"])
    try host.renew(controller: 1, procfs: tree.proc)
  }

  private func refuses(_ controller: Int, _ code: Errno) throws {
    let error = #expect(throws: HostError.self) {
      try host.renew(controller: controller, procfs: tree.proc)
    }
    #expect(error?.code == code)
    #expect(try tree.takeDriverFile("unbind").isEmpty)
  }

  /// Who may open the status file of controller 1.
  private func mode() throws -> mode_t {
    var status = stat()
    let path = tree.sys.appending("devices/platform/vhci_hcd.0/status.1")
    #expect(path.withCString { stat($0, &status) } == 0)
    return status.st_mode & 0o777
  }
}
