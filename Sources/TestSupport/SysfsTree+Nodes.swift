// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

private import Glibc
public import SystemPackage
public import USBModel

extension SysfsTree {
  /// Makes a disk with partitions below an interface, as usb-storage and sd do.
  ///
  /// Numbers are 8:16 × `index` + part. Names are `name`, `name` + 1, …
  public func addDisk(
    _ name: String, index: Int = 1, partitions: Int = 0, below busID: BusID, interface: UInt8 = 0
  ) throws {
    let disk = try directory(of: busID, interface: interface)
      .appending("host6/target6:0:0/6:0:0:0/block").appending(name)
    try addBlock(disk, number: "8:\(16 * index)")
    for part in 1..<(partitions + 1) {
      let directory = disk.appending("\(name)\(part)")
      try addBlock(directory, number: "8:\(16 * index + part)")
      try write("\(part)\n", to: directory.appending("partition"))
    }
  }

  /// Makes a virtual block device (`dm-0`, `md0`, `loop0`) on top of other block devices.
  public func addVirtualDisk(_ name: String, number: String, on lower: [String] = []) throws {
    let disk = FilePath("sys/devices/virtual/block").appending(name)
    try addBlock(disk, number: number)
    for name in lower {
      let link = root.appending("sys/class/block").appending(name)
      guard let holders = SysfsTree.relative(try SysfsTree.linkTarget(link), to: root) else {
        continue
      }
      try self.link(
        holders.appending("holders").appending(disk.lastComponent?.string ?? ""), to: disk)
    }
  }

  /// Makes a character device with a node below an interface, such as `tty` and `ttyUSB0`.
  ///
  /// `deviceName` is the name below /dev where it is not `name`. Returns its directory.
  @discardableResult
  public func addNode(
    subsystem: String, _ name: String, deviceName: String? = nil, number: String,
    below busID: BusID, interface: UInt8 = 0
  ) throws -> FilePath {
    let directory = try directory(of: busID, interface: interface)
      .appending(subsystem).appending(name)
    try addNode(directory, subsystem: subsystem, deviceName: deviceName ?? name, number: number)
    return directory
  }

  /// Makes an input device and its event node; `keys` is the bitmap as sysfs spells it.
  ///
  /// `handlers` is what /proc/bus/input/devices lists; `nil` leaves the device out there.
  public func addInput(
    _ index: Int, keys: String, handlers: String?, below busID: BusID, interface: UInt8 = 0
  ) throws {
    let input = try directory(of: busID, interface: interface)
      .appending("0003:046D:C31C.0001/input/input\(index)")
    try makeDirectory("sys/class/input")
    try link(input.appending("subsystem"), to: "sys/class/input")
    try write("\(keys)\n", to: input.appending("capabilities/key"))
    try addNode(
      input.appending("event\(index)"), subsystem: "input", deviceName: "input/event\(index)",
      number: "13:\(64 + index)")
    guard let handlers else { return }
    let path = input.string.dropFirst("sys".count)
    let before = exists("proc/bus/input/devices") ? try read("proc/bus/input/devices") : ""
    try write(
      before
        + "I: Bus=0003 Vendor=046d Product=c31c Version=0110\nN: Name=\"Input \(index)\"\n"
        + "S: Sysfs=\(path)\nH: Handlers=\(handlers) \nB: KEY=\(keys)\n\n",
      to: "proc/bus/input/devices")
  }

  /// The bitmap of a keyboard with 104 keys, as a real one shows it.
  public static let keyboardKeys =
    "1000000000007 ff9f207ac14057ff febeffdfffefffff fffffffffffffffe"
  /// The bitmap of a headset with volume and play keys.
  public static let headsetKeys = "10000000000000 0 0 18000000000000 10000000000 e000000000000 0"

  /// Makes a network interface below a USB interface.
  public func addNetworkInterface(
    _ name: String, isUp: Bool, hasCarrier: Bool, below busID: BusID, interface: UInt8 = 0
  ) throws {
    let directory = try directory(of: busID, interface: interface).appending("net").appending(name)
    try makeDirectory("sys/class/net")
    try link(directory.appending("subsystem"), to: "sys/class/net")
    try write(isUp ? "0x1003\n" : "0x1002\n", to: directory.appending("flags"))
    try write(hasCarrier ? "1\n" : "0\n", to: directory.appending("carrier"))
  }

  private func addBlock(_ directory: FilePath, number: String) throws {
    let name = directory.lastComponent?.string ?? ""
    try addNode(directory, subsystem: "block", deviceName: name, number: number)
    try makeDirectory(directory.appending("holders"))
  }

  private func addNode(
    _ directory: FilePath, subsystem: String, deviceName: String, number: String
  ) throws {
    let name = directory.lastComponent?.string ?? ""
    let parts = number.split(separator: ":")
    let classDirectory = FilePath("sys/class").appending(subsystem)
    try makeDirectory(classDirectory)
    try link(directory.appending("subsystem"), to: classDirectory)
    try link(classDirectory.appending(name), to: directory)
    try write("\(number)\n", to: directory.appending("dev"))
    try write(
      "MAJOR=\(parts.first ?? "")\nMINOR=\(parts.last ?? "")\nDEVNAME=\(deviceName)\n",
      to: directory.appending("uevent"))
    try write("", to: FilePath("dev").appending(deviceName))
  }

  /// The absolute path that a link leads to.
  static func linkTarget(_ path: FilePath) throws -> FilePath {
    guard let text = path.withCString({ realpath($0, nil) }) else { throw Errno(rawValue: errno) }
    defer { free(text) }
    return FilePath(String(cString: text))
  }

  /// `path` without `root` in front; `nil` where it is not below.
  static func relative(_ path: FilePath, to root: FilePath) -> FilePath? {
    var path = path
    return path.removePrefix(root) ? path : nil
  }

  /// The names in a directory.
  static func names(in path: FilePath) throws -> [String] {
    guard let stream = path.withCString({ opendir($0) }) else { throw Errno(rawValue: errno) }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { field in
        field.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names
  }
}
