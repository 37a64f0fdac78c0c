// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

public import SystemPackage
public import USBModel

/// What the machine has made of an attached device so far.
public struct LocalObservation: Sendable, Hashable {
  /// The interfaces and the drivers bound to them; empty while unconfigured.
  public var interfaces: [Interface]
  /// The device nodes and network interfaces, as `DeviceNodes.nodes(below:)` gives them.
  public var nodes: [String]
  /// True while udev has nothing left to do: links and permissions are in place.
  public var udevSettled: Bool

  /// Takes all parts.
  public init(interfaces: [Interface], nodes: [String], udevSettled: Bool) {
    self.interfaces = interfaces
    self.nodes = nodes
    self.udevSettled = udevSettled
  }
}

/// The device nodes below a USB device of this machine, for the user who has just attached it.
public struct DeviceNodes: Sendable {
  private let sysfs: Sysfs
  private let devfs: FilePath
  private let runtime: FilePath

  /// Takes the trees to read; `runtime` is where udev keeps `udev/queue` (`/run`).
  public init(sysfs: Sysfs, devfs: FilePath, runtime: FilePath) {
    self.sysfs = sysfs
    self.devfs = devfs
    self.runtime = runtime
  }

  /// The nodes that programs use, most telling first: `/dev/sdb`, `/dev/sdb1`, …, and network
  /// interfaces by their plain names.
  ///
  /// Leaves out the usbfs node, duplicates such as `/dev/sg0`, and nodes that do not exist (yet).
  public func nodes(below busID: BusID) -> [String] {
    let ranked = KernelNode.all(below: busID, sysfs: sysfs).compactMap { node in
      DeviceNodes.rank(node).map { (rank: $0, node: node) }
    }
    return ranked.sorted { left, right in
      left.rank == right.rank
        ? naturallyPrecedes(left.node.name, right.node.name) : left.rank < right.rank
    }.compactMap { _, node in
      if node.subsystem == "net" { return node.name }
      guard let name = node.deviceName, pathExists(devfs.appending(name)) else { return nil }
      return devfs.appending(name).string
    }
  }

  /// Interfaces, nodes, and whether udev is done, at one look.
  public func observation(below busID: BusID) -> LocalObservation {
    // udev's state first: what it finishes between the two looks is then seen in the second.
    let settled = !pathExists(runtime.appending("udev/queue"))
    return LocalObservation(
      interfaces: USBTree(sysfs: sysfs).interfaces(of: busID), nodes: nodes(below: busID),
      udevSettled: settled)
  }

  /// The place in the order; `nil` for nodes that are not for users.
  private static func rank(_ node: KernelNode) -> Int? {
    switch node.subsystem {
    case "block": return node.isPartition ? 1 : 0
    case "tty": return 2
    case "input": return node.name.hasPrefix("event") ? 3 : nil
    case "video4linux": return 4
    case "hidraw": return 5
    case "sound": return 6
    case "usbmisc": return node.name.hasPrefix("hiddev") ? nil : 7
    case "net": return 8
    case "usb", "scsi_generic", "bsg", "scsi_device", "scsi_disk": return nil
    default: return node.number == nil ? nil : 9
    }
  }
}
