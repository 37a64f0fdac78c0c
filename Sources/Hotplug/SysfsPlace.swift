// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import USBModel

/// Where in the USB tree a sysfs path lies, from its text alone.
///
/// The text is enough, and it still works for what is removed already: then its parents may be
/// gone from sysfs too, and libudev cannot find them.
struct SysfsPlace: Sendable, Hashable {
  /// The innermost USB device at or above the path.
  let busID: BusID
  /// The sysfs path of that device.
  let devicePath: String

  /// Walks `path` from its root hub (`usb3`) outwards; `nil` where the path has no USB device in it.
  ///
  /// A device's directory is called by its bus ID and lies in its hub's directory
  /// (drivers/usb/core/usb.c, usb_alloc_dev).
  init?(_ path: String) {
    let components = path.split(separator: "/", omittingEmptySubsequences: false)
    var found: (busID: BusID, end: Int)?
    for (index, component) in components.enumerated() {
      guard found == nil || found?.end == index - 1 else { break }
      guard let busID = BusID(component) else { continue }
      if let found {
        guard busID.parent == found.busID else { break }
      } else {
        guard index > 0, components[index - 1] == busID.rootHubName, busID.parent == nil else {
          continue
        }
      }
      found = (busID, index)
    }
    guard let found else { return nil }
    busID = found.busID
    devicePath = components[...found.end].joined(separator: "/")
  }

  /// True for a path below a controller of vhci_hcd (`/sys/devices/platform/vhci_hcd.0/…`).
  static func isImported(_ path: String) -> Bool {
    path.split(separator: "/").contains { $0 == "vhci_hcd" || $0.hasPrefix("vhci_hcd.") }
  }

  /// True for the directory name of a root hub (`usb` and the bus number).
  static func isRootHub(_ name: String) -> Bool {
    name.hasPrefix("usb") && name.utf8.count > 3
      && name.utf8.dropFirst(3).allSatisfy { (0x30...0x39).contains($0) }
  }
}
