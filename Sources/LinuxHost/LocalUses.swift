// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

private import Glibc
public import SystemPackage
public import USBModel

/// What this machine does with devices of its own; the reason to keep one from being shared.
///
/// Reads only; wakes no disk. Reading may wait for the kernel's lock of a device: keep it off the
/// cooperative pool.
public struct LocalUses: Sendable {
  let sysfs: Sysfs
  let procfs: FilePath
  let devfs: FilePath

  /// Takes the three trees of files to read.
  public init(sysfs: Sysfs, procfs: FilePath, devfs: FilePath) {
    self.sysfs = sysfs
    self.procfs = procfs
    self.devfs = devfs
  }

  /// All uses of one device, disks first; none where the device is gone.
  ///
  /// What cannot be read counts as no use: a caller without root sees less.
  public func uses(of device: Device, openNodes: OpenNodes) -> [LocalUse] {
    let nodes = KernelNode.all(below: device.busID, sysfs: sysfs)
    return diskUses(nodes, openNodes) + keyboardUses(nodes, openNodes) + networkUses(nodes)
      + openUses(nodes, device, openNodes)
  }

  /// Asks the kernel for each whole disk of the device whether anything at all has claimed it.
  ///
  /// Sees what `uses` cannot: a file system of another kind, a mount of this very moment. Wakes the
  /// disk, and somebody else's mount in the same moment fails: for use right before taking the device
  /// only. A claimed disk is `held` by `the kernel`.
  public func claims(on device: Device) -> [LocalUse] {
    KernelNode.all(below: device.busID, sysfs: sysfs).compactMap { node in
      guard node.subsystem == "block", !node.isPartition, let name = node.deviceName else {
        return nil
      }
      do throws(HostError) {
        // Exclusive opening of a block device is refused while the kernel uses it (open(2), O_EXCL).
        _ = try openFile(devfs.appending(name), O_RDONLY | O_EXCL | O_NONBLOCK)
        return nil
      } catch {
        return error.code == .resourceBusy ? .held(node: path(of: name), holder: "the kernel") : nil
      }
    }
  }

  /// The path of a node for people and for `OpenNodes`.
  func path(of deviceName: String) -> String {
    devfs.appending(deviceName).string
  }

  private func networkUses(_ nodes: [KernelNode]) -> [LocalUse] {
    nodes.filter { node in
      guard node.subsystem == "net",
        let flags = try? sysfs.text(node.directory.appending("flags")), flags.hasPrefix("0x"),
        let bits = UInt32(flags.dropFirst(2), radix: 16)
      else { return false }
      // IFF_UP is bit 0 (linux/if.h). Reading `carrier` of an interface that is down is EINVAL.
      return bits & 1 != 0 && (try? sysfs.text(node.directory.appending("carrier"))) == "1"
    }.map { .network(interface: $0.name) }
  }

  private func openUses(
    _ nodes: [KernelNode], _ device: Device, _ openNodes: OpenNodes
  ) -> [LocalUse] {
    var opened: [(path: String, number: DeviceNumber?)] = nodes.compactMap { node in
      node.deviceName.map { (path(of: $0), node.number) }
    }
    let own = USBDeviceNode.path(
      busNumber: device.busNumber, deviceNumber: device.deviceNumber, devfs: devfs)
    if !opened.contains(where: { $0.path == own.string }) {
      opened.append(
        (
          own.string,
          USBDeviceNode.number(busNumber: device.busNumber, deviceNumber: device.deviceNumber)
        ))
    }
    return opened.flatMap { path, number in
      openNodes.holders(of: number, path: path).map { holder in
        .open(node: path, program: holder.program, process: holder.process)
      }
    }
  }
}
