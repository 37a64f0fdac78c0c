// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import SystemPackage
internal import USBModel

extension LocalUses {
  /// The block devices of a device and all that is built on them, by kernel name and by number.
  private struct Stack {
    var names: [String: String] = [:]
    var numbers: [DeviceNumber: String] = [:]
    var uses: [LocalUse] = []
  }

  /// Mounts, swap space and holders of the disks among `nodes`.
  func diskUses(_ nodes: [KernelNode], _ openNodes: OpenNodes) -> [LocalUse] {
    let disks = nodes.filter { $0.subsystem == "block" && $0.number != nil }
    guard !disks.isEmpty else { return [] }
    var stack = Stack()
    let loops = loopDevices()
    for disk in disks { add(disk, to: &stack, loops, depth: 0) }
    let mounted = mountUses(stack, openNodes)
    return mounted + swapUses(stack) + stack.uses
  }

  private func add(
    _ node: KernelNode, to stack: inout Stack, _ loops: [(name: String, backing: String)],
    depth: Int
  ) {
    guard depth < HostLimits.holderDepth, stack.names[node.name] == nil,
      let deviceName = node.deviceName, let number = node.number
    else { return }
    let path = path(of: deviceName)
    stack.names[node.name] = path
    stack.numbers[number] = path
    let holders = (try? sysfs.entries(of: node.directory.appending("holders"))) ?? []
    let above = loops.filter { kernelName(of: $0.backing) == node.name }.map(\.name)
    for holder in holders + above {
      stack.uses.append(.held(node: path, holder: holder))
      guard let directory = sysfs.resolved(FilePath("class/block").appending(holder)),
        let next = KernelNode(directory: directory, sysfs: sysfs)
      else { continue }
      add(next, to: &stack, loops, depth: depth + 1)
      // A partitioned md or loop device has its own parts.
      for name in (try? sysfs.entries(of: directory)) ?? [] where name.hasPrefix(holder) {
        guard let part = KernelNode(directory: directory.appending(name), sysfs: sysfs) else {
          continue
        }
        add(part, to: &stack, loops, depth: depth + 1)
      }
    }
  }

  private func mountUses(_ stack: Stack, _ openNodes: OpenNodes) -> [LocalUse] {
    let wider = btrfsDevices(stack)
    return openNodes.mounts.compactMap { mount -> (node: String, path: String)? in
      if let node = stack.numbers[mount.number] { return (node, mount.path) }
      guard mount.number.major == 0, let name = kernelName(of: mount.source) else { return nil }
      return (stack.names[name] ?? wider[name]).map { ($0, mount.path) }
    }.sorted { ($0.path, $0.node) < ($1.path, $1.node) }
      .map { .mounted(node: $0.node, path: $0.path) }
  }

  private func swapUses(_ stack: Stack) -> [LocalUse] {
    let text = (try? readText(procfs.appending("swaps"), limit: HostLimits.tableLength)) ?? ""
    return text.split(separator: "\n").dropFirst().compactMap { line in
      guard let file = line.split(whereSeparator: { $0 == " " || $0 == "\t" }).first,
        let name = kernelName(of: unescaped(file)), let node = stack.names[name]
      else { return nil }
      return .swap(node: node)
    }
  }

  /// Other devices of btrfs file systems that one of ours belongs to: a mount names just one of them.
  ///
  /// The value is the path of ours. Source: `/sys/fs/btrfs/UUID/devices`, links while it is mounted.
  private func btrfsDevices(_ stack: Stack) -> [String: String] {
    var others: [String: String] = [:]
    let directory: FilePath = "fs/btrfs"
    for name in (try? sysfs.entries(of: directory)) ?? [] {
      let members = (try? sysfs.entries(of: directory.appending(name).appending("devices"))) ?? []
      guard let ours = members.lazy.compactMap({ stack.names[$0] }).first else { continue }
      for member in members { others[member] = ours }
    }
    return others
  }

  /// Loop devices and the file or node each is made of; they do not count as holders in sysfs.
  private func loopDevices() -> [(name: String, backing: String)] {
    ((try? sysfs.entries(of: "class/block")) ?? []).filter { $0.hasPrefix("loop") }
      .compactMap { name in
        let attribute = FilePath("class/block").appending(name).appending("loop/backing_file")
        return (try? sysfs.text(attribute)).map { (name, $0) }
      }
  }

  /// The kernel's name for a path below /dev, links such as `/dev/mapper/x` followed; `nil` for others.
  private func kernelName(of source: String) -> String? {
    let relative: Substring
    if source.hasPrefix("/dev/") {
      relative = source.dropFirst("/dev/".count)
    } else if source.hasPrefix(devfs.string + "/") {
      relative = source.dropFirst(devfs.string.count + 1)
    } else {
      return nil
    }
    let path = devfs.appending(String(relative))
    return (resolvedPath(path) ?? path).lastComponent?.string
  }
}
