// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

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
