// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import LinuxHost
import SystemPackage
import TestSupport
import Testing
import USBModel

@Suite struct USBTreeTests {
  static func stick(_ busID: String = "2-1", address: UInt32 = 5) throws -> Device {
    Device(
      busID: try #require(BusID(busID)), busNumber: 2, deviceNumber: address, speed: .superSpeed,
      vendorProduct: VendorProduct(vendor: 0x0781, product: 0x5583), release: 0x0100,
      classCode: ClassCode(0x00, 0x01, 0x02), configurationValue: 1, configurationCount: 3,
      interfaces: [
        Interface(number: 0, classCode: ClassCode(0x08, 0x06, 0x50), driver: "usb-storage"),
        Interface(number: 1, classCode: ClassCode(0xFF, 0x12, 0x34)),
      ],
      manufacturer: "SanDisk", product: "Ultra Fit", serial: "4C53")
  }

  @Test func `every attribute of a device arrives`() throws {
    let tree = try SysfsTree()
    var expected = try Self.stick()
    let directory = try tree.add(expected)
    expected.sysfsPath = tree.root.appending(directory.components).string
    #expect(try USBTree(sysfs: Sysfs(root: tree.sys)).device(expected.busID) == expected)
    #expect(USBTree(sysfs: Sysfs(root: tree.sys)).devices() == [expected])
  }

  @Test func `devices come by bus and port, without root hubs and with hubs`() throws {
    let tree = try SysfsTree()
    var hub = try Self.stick("1-2")
    hub.classCode = ClassCode(9)
    hub.interfaces = []
    try tree.add(hub)
    for name in ["1-10", "1-2.10", "1-2.9", "10-1"] { try tree.add(try Self.stick(name)) }
    let devices = USBTree(sysfs: Sysfs(root: tree.sys)).devices()
    #expect(devices.map(\.busID.description) == ["1-2", "1-2.9", "1-2.10", "1-10", "10-1"])
    #expect(devices.map(\.isHub) == [true, false, false, false, false])
    #expect(devices[1].sysfsPath.hasSuffix("/usb1/1-2/1-2.9"))
  }

  @Test func `a device on vhci is imported`() throws {
    let tree = try SysfsTree()
    try tree.add(try Self.stick("1-1"))
    try tree.add(try Self.stick("3-1"), below: "sys/devices/platform/vhci_hcd.4")
    let devices = USBTree(sysfs: Sysfs(root: tree.sys)).devices()
    #expect(devices.map(\.isImported) == [false, true])
  }

  @Test func `an unconfigured device has configuration 0 and no interfaces`() throws {
    let tree = try SysfsTree()
    var device = try Self.stick()
    device.configurationValue = 0
    device.interfaces = []
    try tree.add(device)
    let read = try USBTree(sysfs: Sysfs(root: tree.sys)).device(device.busID)
    #expect(read?.configurationValue == 0)
    #expect(read?.interfaces == [])
  }

  @Test func `a device that is not there is nil`() throws {
    let tree = try SysfsTree()
    let busID = try #require(BusID("9-9"))
    #expect(try USBTree(sysfs: Sysfs(root: tree.sys)).device(busID) == nil)
    #expect(USBTree(sysfs: Sysfs(root: tree.root.appending("none"))).devices().isEmpty)
  }

  @Test(arguments: [
    ("devnum", "-1\n"), ("devnum", "4294967296\n"), ("devnum", "five\n"), ("devnum", "\n"),
    ("busnum", "+1\n"), ("idVendor", "g781\n"), ("idVendor", "10000\n"), ("idProduct", "\n"),
    ("bcdDevice", "0x0100\n"), ("bDeviceClass", "100\n"), ("bDeviceSubClass", "-1\n"),
    ("bDeviceProtocol", "zz\n"), ("bConfigurationValue", "256\n"), ("bNumConfigurations", "1 2\n"),
    ("speed", "unknown\n"), ("speed", "\n"), ("devnum", "\u{664}\n"),
  ])
  func `a malformed attribute is an error with its path, and leaves out just that device`(
    name: String, text: String
  ) throws {
    let tree = try SysfsTree()
    let broken = try Self.stick("2-1")
    let directory = try tree.add(broken)
    try tree.add(try Self.stick("2-2"))
    try tree.write(text, to: directory.appending(name))
    let usb = USBTree(sysfs: Sysfs(root: tree.sys))
    let path = tree.sys.appending("bus/usb/devices/2-1").appending(name).string
    #expect(throws: HostError("understand", path, .badMessage)) { try usb.device(broken.busID) }
    #expect(usb.devices().map(\.busID.description) == ["2-2"])
  }

  @Test func `a malformed interface is left out`() throws {
    let tree = try SysfsTree()
    let device = try Self.stick()
    let directory = try tree.add(device)
    try tree.write("xyz\n", to: directory.appending("2-1:1.0/bInterfaceClass"))
    let usb = USBTree(sysfs: Sysfs(root: tree.sys))
    #expect(usb.interfaces(of: device.busID).map(\.number) == [1])
  }

  @Test func `strings of a device cannot steer a terminal`() throws {
    let tree = try SysfsTree()
    var device = try Self.stick()
    device.manufacturer = "\u{1B}[31mEvil\u{202E}\u{7} Inc\u{2028}"
    device.product = "\u{1B}\u{0}\u{85}"
    device.serial = "   "
    try tree.add(device)
    let read = try USBTree(sysfs: Sysfs(root: tree.sys)).device(device.busID)
    #expect(read?.manufacturer == "[31mEvil Inc")
    #expect(read?.product == nil)
    #expect(read?.serial == nil)
  }

  @Test func `a device unplugged between two looks is gone`() throws {
    let tree = try SysfsTree()
    let device = try Self.stick()
    let directory = try tree.add(device)
    tree.remove(directory.appending("devnum"))
    #expect(try USBTree(sysfs: Sysfs(root: tree.sys)).device(device.busID) == nil)
    try tree.add(device)
    try tree.remove(device.busID)
    #expect(try USBTree(sysfs: Sysfs(root: tree.sys)).device(device.busID) == nil)
  }
}
