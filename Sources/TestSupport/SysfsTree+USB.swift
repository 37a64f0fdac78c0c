// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

public import SystemPackage
public import USBModel

extension SysfsTree {
  /// The directory of the fake host controller that devices are below unless told otherwise.
  public static let hostController: FilePath = "sys/devices/pci0000:00/0000:00:14.0"
  /// The directory of the first controller of vhci_hcd.
  public static let virtualController: FilePath = "sys/devices/platform/vhci_hcd.0"

  /// Makes the files of a device or a hub as the kernel does, its usbfs node included.
  ///
  /// Root hubs come by themselves; a device behind a hub needs the hub first. `sysfsPath` and
  /// `isImported` of `device` do not matter: they follow from `controller`. Returns its directory.
  @discardableResult
  public func add(
    _ device: Device, below controller: FilePath = SysfsTree.hostController,
    descriptors: [UInt8] = []
  ) throws -> FilePath {
    try addRootHub(bus: device.busID.bus, below: controller)
    let directory = parentDirectory(of: device.busID, controller)
      .appending(device.busID.description)
    try write("\(device.busNumber)\n", to: directory.appending("busnum"))
    try write("\(device.deviceNumber)\n", to: directory.appending("devnum"))
    try write("\(SysfsTree.text(of: device.speed))\n", to: directory.appending("speed"))
    try write(hex(device.vendorProduct.vendor), to: directory.appending("idVendor"))
    try write(hex(device.vendorProduct.product), to: directory.appending("idProduct"))
    try write(hex(device.release), to: directory.appending("bcdDevice"))
    try writeClass(device.classCode, prefix: "bDevice", to: directory)
    let configuration = device.configurationValue
    try write(
      configuration == 0 ? "\n" : "\(configuration)\n",
      to: directory.appending("bConfigurationValue"))
    try write("\(device.configurationCount)\n", to: directory.appending("bNumConfigurations"))
    try write(descriptors, to: directory.appending("descriptors"))
    for (name, text) in [
      ("manufacturer", device.manufacturer), ("product", device.product), ("serial", device.serial),
    ] {
      if let text { try write("\(text)\n", to: directory.appending(name)) }
    }
    try link(directory.appending("driver"), to: "sys/bus/usb/drivers/usb")
    try addUSBNode(directory, bus: device.busNumber, address: device.deviceNumber)
    try link(
      FilePath("sys/bus/usb/devices").appending(device.busID.description), to: directory)
    for interface in device.interfaces { try add(interface, to: device.busID) }
    return directory
  }

  /// Makes or replaces the files of one interface of configuration 1, and returns its directory.
  @discardableResult
  public func add(_ interface: Interface, to busID: BusID) throws -> FilePath {
    let name = SysfsTree.interfaceName(busID, interface.number)
    let directory = try directory(of: busID).appending(name)
    try write("\(hex(interface.number))\n", to: directory.appending("bInterfaceNumber"))
    try writeClass(interface.classCode, prefix: "bInterface", to: directory)
    try link(directory.appending("subsystem"), to: "sys/bus/usb")
    try link(FilePath("sys/bus/usb/devices").appending(name), to: directory)
    remove(directory.appending("driver"))
    if let driver = interface.driver {
      let driverDirectory = FilePath("sys/bus/usb/drivers").appending(driver)
      try makeDirectory(driverDirectory)
      try link(directory.appending("driver"), to: driverDirectory)
    }
    return directory
  }

  /// Removes a device as by unplugging it: its files, its interfaces and its usbfs node.
  public func remove(_ busID: BusID) throws {
    let directory = try directory(of: busID)
    let number = try read(directory.appending("uevent"))
    for line in number.split(separator: "\n") where line.hasPrefix("DEVNAME=") {
      remove(FilePath("dev").appending(String(line.dropFirst("DEVNAME=".count))))
    }
    for name in try SysfsTree.names(in: root.appending("sys/bus/usb/devices"))
    where name == busID.description || name.hasPrefix("\(busID):") {
      remove(FilePath("sys/bus/usb/devices").appending(name))
    }
    remove(directory)
  }

  /// The directory of a device, relative to `root`; throws `Errno` where there is none.
  public func directory(of busID: BusID) throws -> FilePath {
    let link = root.appending("sys/bus/usb/devices").appending(busID.description)
    let target = try SysfsTree.linkTarget(link)
    guard let relative = SysfsTree.relative(target, to: root) else { throw Errno.notDirectory }
    return relative
  }

  /// The directory of an interface, relative to `root`.
  public func directory(of busID: BusID, interface: UInt8) throws -> FilePath {
    try directory(of: busID).appending(SysfsTree.interfaceName(busID, interface))
  }

  private func addRootHub(bus: Int, below controller: FilePath) throws {
    let directory = controller.appending("usb\(bus)")
    guard !exists(directory.appending("devnum")) else { return }
    try write("\(bus)\n", to: directory.appending("busnum"))
    try write("1\n", to: directory.appending("devnum"))
    try write("480\n", to: directory.appending("speed"))
    try write("1d6b\n", to: directory.appending("idVendor"))
    try write("0002\n", to: directory.appending("idProduct"))
    try writeClass(ClassCode(ClassCode.hub, 0, 1), prefix: "bDevice", to: directory)
    try addUSBNode(directory, bus: UInt32(bus), address: 1)
    try link(FilePath("sys/bus/usb/devices/usb\(bus)"), to: directory)
  }

  private func parentDirectory(of busID: BusID, _ controller: FilePath) -> FilePath {
    if let parent = busID.parent {
      return parentDirectory(of: parent, controller).appending("\(parent)")
    }
    return controller.appending(busID.rootHubName)
  }

  private func addUSBNode(_ directory: FilePath, bus: UInt32, address: UInt32) throws {
    func digits(_ number: UInt32) -> String {
      String(repeating: "0", count: max(0, 3 - String(number).count)) + String(number)
    }
    let name = "bus/usb/\(digits(bus))/\(digits(address))"
    let minor = (Int(bus) - 1) * 128 + Int(address) - 1
    try write("189:\(minor)\n", to: directory.appending("dev"))
    try write(
      "MAJOR=189\nMINOR=\(minor)\nDEVNAME=\(name)\nDEVTYPE=usb_device\n",
      to: directory.appending("uevent"))
    try makeDirectory("sys/bus/usb/drivers/usb")
    try link(directory.appending("subsystem"), to: "sys/bus/usb")
    try write("", to: FilePath("dev").appending(name))
  }

  private func writeClass(_ code: ClassCode, prefix: String, to directory: FilePath) throws {
    try write("\(hex(code.baseClass))\n", to: directory.appending("\(prefix)Class"))
    try write("\(hex(code.subClass))\n", to: directory.appending("\(prefix)SubClass"))
    try write("\(hex(code.protocolCode))\n", to: directory.appending("\(prefix)Protocol"))
  }

  static func interfaceName(_ busID: BusID, _ number: UInt8) -> String { "\(busID):1.\(number)" }

  private static func text(of speed: Speed) -> String {
    switch speed {
    case .low: return "1.5"
    case .full: return "12"
    case .high, .wireless: return "480"
    case .superSpeed: return "5000"
    case .superSpeedPlus: return "10000"
    }
  }
}

/// Lower-case hexadecimal digits, two for each byte.
private func hex(_ value: some FixedWidthInteger & UnsignedInteger) -> String {
  let digits = String(value, radix: 16)
  return String(repeating: "0", count: value.bitWidth / 4 - digits.count) + digits
}
