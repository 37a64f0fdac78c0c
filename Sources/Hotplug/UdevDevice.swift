// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

private import CUdev
internal import Glibc

/// One reference to a device of libudev, given back at the end.
@safe struct UdevDevice: ~Copyable {
  // SAFETY: one reference is owned from init to deinit; only the watch's thread uses it.
  private let handle: OpaquePointer

  /// Takes over one reference.
  init?(owning handle: OpaquePointer?) {
    guard let handle = unsafe handle else { return nil }
    unsafe self.handle = unsafe handle
  }

  deinit { _ = unsafe udev_device_unref(handle) }

  /// The absolute sysfs path.
  var path: String { unsafe copied(udev_device_get_syspath(handle)) ?? "" }
  /// The directory's name.
  var name: String { unsafe copied(udev_device_get_sysname(handle)) ?? "" }
  /// The kernel's subsystem.
  var subsystem: String { unsafe copied(udev_device_get_subsystem(handle)) ?? "" }
  /// The kernel's device type within the subsystem, such as `usb_interface`.
  var type: String { unsafe copied(udev_device_get_devtype(handle)) ?? "" }
  /// The word of the event that brought this device; empty for an enumerated one.
  var action: String { unsafe copied(udev_device_get_action(handle)) ?? "" }
  /// The bound driver.
  var driver: String? { unsafe copied(udev_device_get_driver(handle)) }

  /// Those of `names` that exist, without the trailing newline; bytes that are no UTF-8 are replaced.
  func attributes(_ names: [String]) -> [String: String] {
    var found: [String: String] = [:]
    for name in names {
      found[name] = unsafe copied(udev_device_get_sysattr_value(handle, name))
    }
    return found
  }

  /// Those of `names` that udev has.
  func properties(_ names: [String]) -> [String: String] {
    var found: [String: String] = [:]
    for name in names {
      found[name] = unsafe copied(udev_device_get_property_value(handle, name))
    }
    return found
  }
}

/// Copies a C string that libudev owns.
func copied(_ pointer: UnsafePointer<CChar>?) -> String? {
  guard let pointer = unsafe pointer else { return nil }
  // SAFETY: libudev's strings end with NUL and live as long as their device or list.
  return unsafe String(cString: pointer)
}
