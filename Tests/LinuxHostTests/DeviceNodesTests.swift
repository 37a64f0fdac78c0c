// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import SystemPackage
import TestSupport
import Testing
import USBModel

@testable import LinuxHost

@Suite struct DeviceNodesTests {
  let tree: SysfsTree
  let device: Device

  init() throws {
    tree = try SysfsTree()
    device = try USBTreeTests.stick()
    try tree.add(device)
  }

  private var nodes: DeviceNodes {
    DeviceNodes(sysfs: Sysfs(root: tree.sys), devfs: tree.dev, runtime: tree.run)
  }

  @Test func `the most telling nodes come first, the rest is left out`() throws {
    let busID = device.busID
    try tree.addNetworkInterface("usb0", isUp: false, hasCarrier: false, below: busID)
    try tree.addNode(
      subsystem: "usbmisc", "lp0", deviceName: "usb/lp0", number: "180:0", below: busID)
    try tree.addNode(
      subsystem: "usbmisc", "hiddev0", deviceName: "usb/hiddev0", number: "180:96", below: busID)
    try tree.addNode(
      subsystem: "sound", "controlC1", deviceName: "snd/controlC1", number: "116:7", below: busID)
    try tree.addNode(subsystem: "hidraw", "hidraw0", number: "240:0", below: busID)
    try tree.addNode(subsystem: "video4linux", "video0", number: "81:0", below: busID)
    try tree.addInput(10, keys: "0", handlers: nil, below: busID)
    try tree.addInput(9, keys: "0", handlers: nil, below: busID)
    try tree.addNode(subsystem: "tty", "ttyACM0", number: "166:0", below: busID)
    try tree.addNode(subsystem: "scsi_generic", "sg1", number: "21:1", below: busID)
    try tree.addDisk("sdb", partitions: 1, below: busID)
    try tree.addDisk("sda", index: 0, partitions: 1, below: busID, interface: 1)
    try tree.addNode(subsystem: "lirc", "lirc0", number: "251:0", below: busID)
    let expected =
      [
        "sda", "sdb", "sda1", "sdb1", "ttyACM0", "input/event9", "input/event10", "video0",
        "hidraw0",
        "snd/controlC1", "usb/lp0",
      ].map { tree.dev.appending($0).string } + ["usb0", tree.dev.appending("lirc0").string]
    #expect(nodes.nodes(below: busID) == expected)
  }

  @Test func `a node that is not there yet is left out`() throws {
    try tree.addDisk("sdb", below: device.busID)
    tree.remove("dev/sdb")
    #expect(nodes.nodes(below: device.busID) == [])
  }

  @Test func `a name that leads out of the directory is none`() throws {
    let directory = try tree.addNode(
      subsystem: "tty", "ttyACM0", number: "166:0", below: device.busID)
    try tree.write("DEVNAME=../../etc/passwd\n", to: directory.appending("uevent"))
    #expect(nodes.nodes(below: device.busID) == [])
  }

  @Test func `an observation shows drivers, nodes and udev's queue`() throws {
    try tree.addDisk("sdb", below: device.busID)
    try tree.write("", to: "run/udev/queue")
    let node = tree.dev.appending("sdb").string
    #expect(
      nodes.observation(below: device.busID)
        == LocalObservation(interfaces: device.interfaces, nodes: [node], udevSettled: false))
    tree.remove("run/udev/queue")
    #expect(nodes.observation(below: device.busID).udevSettled)
    try tree.remove(device.busID)
    #expect(
      nodes.observation(below: device.busID)
        == LocalObservation(interfaces: [], nodes: [], udevSettled: true))
  }

  @Test func `texts with numbers are in the order of people`() {
    let names = ["event10", "event9", "sdb", "sda10", "sda2", "sda", "9", "10a", "10"]
    #expect(
      names.sorted(by: naturallyPrecedes) == [
        "9", "10", "10a", "event9", "event10", "sda", "sda2", "sda10", "sdb",
      ])
  }
}
