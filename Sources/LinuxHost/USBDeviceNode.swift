// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

private import CLinux
internal import Glibc
public import SystemPackage

/// The device nodes of usbfs, `/dev/bus/usb/BBB/DDD` (Documentation/driver-api/usb/usb.rst).
public enum USBDeviceNode {
  /// The path of a node below `devfs`; both numbers have three digits at least.
  public static func path(busNumber: UInt32, deviceNumber: UInt32, devfs: FilePath) -> FilePath {
    devfs.appending("bus/usb/\(threeDigits(busNumber))/\(threeDigits(deviceNumber))")
  }

  /// Opens a node to read, write and control.
  ///
  /// Throws `HostError`: `ENOENT` or `ENODEV` where the device is gone, `EACCES` without the right.
  public static func open(
    busNumber: UInt32, deviceNumber: UInt32, devfs: FilePath
  ) throws(HostError) -> OwnedDescriptor {
    try openFile(
      path(busNumber: busNumber, deviceNumber: deviceNumber, devfs: devfs), O_RDWR,
      operation: "open USB device")
  }

  /// Gives up, for this open node and every duplicate of it, taking interfaces from drivers.
  ///
  /// What is left: claims of interfaces nobody has, SET_CONFIGURATION, and a reset while nobody else
  /// has an interface (`USBDEVFS_DROP_PRIVILEGES`, drivers/usb/core/devio.c). Another open of the same
  /// node is not touched. Throws `HostError` with the kernel's answer.
  public static func dropPrivileges(_ node: borrowing OwnedDescriptor) throws(HostError) {
    let result = clinux_usbfs_drop_privileges(node.rawValue, allInterfaces)
    guard result == 0 else {
      throw HostError("drop privileges on USB device", "", Errno(rawValue: -result))
    }
  }

  /// A session has the whole device: another configuration may number its interfaces differently.
  private static let allInterfaces = UInt32.max

  /// Major and minor number of a node (`USB_DEVICE_MAJOR`, drivers/usb/core/devio.c).
  static func number(busNumber: UInt32, deviceNumber: UInt32) -> DeviceNumber? {
    guard (1...1024).contains(busNumber), (1...128).contains(deviceNumber) else { return nil }
    return DeviceNumber(
      kind: .character, major: 189, minor: (busNumber - 1) * 128 + (deviceNumber - 1))
  }

  private static func threeDigits(_ number: UInt32) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(0, 3 - text.count)) + text
  }
}
