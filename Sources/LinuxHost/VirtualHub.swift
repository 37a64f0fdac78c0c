// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import SystemPackage

/// One half of a controller of vhci_hcd: a root hub, with what its devices have done.
public struct VirtualHub: Sendable, Hashable {
  /// The controller: the number N of `vhci_hcd.N`.
  public var controller: Int
  /// True for the half that takes SuperSpeed devices.
  public var isSuperSpeed: Bool
  /// Another number each time the kernel made the hub anew: the inode of its directory.
  public var generation: UInt64
  /// `urbnum` of each device (drivers/usb/core/sysfs.c), by the inode of its directory.
  public var urbs: [UInt64: UInt64]

  /// Takes all parts.
  public init(
    controller: Int, isSuperSpeed: Bool, generation: UInt64, urbs: [UInt64: UInt64] = [:]
  ) {
    self.controller = controller
    self.isSuperSpeed = isSuperSpeed
    self.generation = generation
    self.urbs = urbs
  }

  /// Reads the hub in `directory`, such as `devices/platform/vhci_hcd.3/usb9`; `nil` where there is none.
  init?(_ directory: FilePath, bus: Int, controller: Int, sysfs: Sysfs) {
    guard let identity = FileIdentity(sysfs.absolute(directory)),
      // In Mbit/s, "1.5" for low speed, which no root hub has.
      let speed = (try? sysfs.text(directory.appending("speed"))).flatMap({ Int($0) })
    else { return nil }
    self.init(controller: controller, isSuperSpeed: speed >= 5000, generation: identity.inode)
    collect(directory, prefix: "\(bus)-", depth: 0, sysfs: sysfs)
  }

  private mutating func collect(_ directory: FilePath, prefix: String, depth: Int, sysfs: Sysfs) {
    // Hubs behind each other (USB 2.0, 4.1.1: seven tiers).
    guard depth < 7 else { return }
    // An interface is `9-1:1.0`, and the root hub's own is `9-0:1.0`.
    for name in (try? sysfs.entries(of: directory)) ?? []
    where name.hasPrefix(prefix) && !name.contains(":") {
      let device = directory.appending(name)
      guard let identity = FileIdentity(sysfs.absolute(device)),
        let number = (try? sysfs.text(device.appending("urbnum"))).flatMap({ Int64($0) })
      else { continue }
      // An int in the kernel, which is printed with its sign.
      urbs[identity.inode] = UInt64(UInt32(truncatingIfNeeded: number))
      collect(device, prefix: prefix, depth: depth + 1, sysfs: sysfs)
    }
  }
}
