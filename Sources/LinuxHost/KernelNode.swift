// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import Glibc
internal import SystemPackage
internal import USBModel

/// One thing the kernel made for a device: a device node, an input device or a network interface.
struct KernelNode {
  /// The last part of the link `subsystem`, such as `block`.
  let subsystem: String
  /// The kernel's name, such as `sda1`.
  let name: String
  /// The name below /dev, such as `input/event3`; `nil` where it has no device node.
  let deviceName: String?
  /// Major and minor number; `nil` where it has no device node.
  let number: DeviceNumber?
  /// Its directory in sysfs, absolute and without links.
  let directory: FilePath

  /// True for a part of a disk.
  let isPartition: Bool

  /// Reads one directory; `nil` where it belongs to no subsystem.
  init?(directory: FilePath, sysfs: Sysfs) {
    guard let subsystem = sysfs.linkName(directory.appending("subsystem")),
      let name = directory.lastComponent?.string
    else { return nil }
    self.subsystem = subsystem
    self.name = name
    self.directory = directory
    let kind: DeviceNumber.Kind = subsystem == "block" ? .block : .character
    number = (try? sysfs.text(directory.appending("dev"))).flatMap { DeviceNumber(kind: kind, $0) }
    let event = number == nil ? "" : (try? sysfs.text(directory.appending("uevent"))) ?? ""
    var deviceName: String?
    for line in event.split(separator: "\n") where line.hasPrefix("DEVNAME=") {
      deviceName = String(line.dropFirst("DEVNAME=".count))
    }
    // A name that leads out of /dev is none; the kernel writes "!" for "/" in `name`.
    let plain = String(name.map { $0 == "!" ? "/" : $0 })
    let wanted = deviceName ?? plain
    let isInside = !wanted.split(separator: "/").contains("..") && !wanted.isEmpty
    self.deviceName = number != nil && isInside ? wanted : nil
    isPartition = subsystem == "block" && sysfs.exists(directory.appending("partition"))
  }

  /// Everything below one USB device, its own usbfs node included, child devices of a hub left out.
  static func all(below busID: BusID, sysfs: Sysfs) -> [KernelNode] {
    guard let top = sysfs.resolved(USBTree.directory.appending(busID.description)) else {
      return []
    }
    var nodes: [KernelNode] = []
    var pending: [(directory: FilePath, depth: Int)] = [(top, 0)]
    var seen = 0
    while let (directory, depth) = pending.popLast(), seen < HostLimits.deviceDirectories {
      seen += 1
      if depth > 0, sysfs.exists(directory.appending("devnum")) { continue }
      if let node = KernelNode(directory: directory, sysfs: sysfs) { nodes.append(node) }
      guard depth < HostLimits.deviceDepth else { continue }
      for name in subdirectories(of: directory) where !KernelNode.uninteresting.contains(name) {
        pending.append((directory.appending(name), depth + 1))
      }
    }
    return nodes.sorted { naturallyPrecedes($0.name, $1.name) }
  }

  /// Directories of settings, which have no nodes in them.
  private static let uninteresting: Set<String> = [
    "power", "queue", "trace", "integrity", "holders", "slaves", "statistics", "mq", "queues",
    "capabilities", "id", "device",
  ]
}

/// The directories in a directory, links left out, in no order; none where it cannot be read.
private func subdirectories(of path: FilePath) -> [String] {
  ((try? directoryEntries(path)) ?? []).filter { name in
    var status = stat()
    // SAFETY: the string lives for the call and lstat fills the structure.
    let result = unsafe path.appending(name).withCString { unsafe lstat($0, &status) }
    return result == 0 && status.st_mode & S_IFMT == S_IFDIR
  }
}

/// Orders texts with numbers in them as people do: `event5` before `event10`.
func naturallyPrecedes(_ left: String, _ right: String) -> Bool {
  func parts(_ text: String) -> [(isNumber: Bool, text: Substring)] {
    var parts: [(Bool, Substring)] = []
    var rest = Substring(text)
    while let first = rest.first {
      let isNumber = first.isASCII && first.isNumber
      let part = rest.prefix { ($0.isASCII && $0.isNumber) == isNumber }
      parts.append((isNumber, part))
      rest = rest.dropFirst(part.count)
    }
    return parts
  }
  for (one, other) in zip(parts(left), parts(right)) where one.text != other.text {
    if one.isNumber, other.isNumber, let first = Int(one.text), let second = Int(other.text),
      first != second
    {
      return first < second
    }
    return one.text < other.text
  }
  return left.count < right.count
}
