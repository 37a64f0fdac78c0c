// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

private import CUdev
internal import Glibc

/// libudev's context: finds devices in sysfs and names in the hardware database.
///
/// Works without udevd: then properties are empty, and the database is asked directly.
@safe struct UdevContext: ~Copyable {
  // SAFETY: owned from init to deinit; libudev wants one thread at a time, which the owner keeps.
  private let handle: OpaquePointer
  private let database: OpaquePointer?

  /// Throws `.context`.
  init() throws(HotplugError) {
    guard let handle = unsafe udev_new() else { throw .context(errno: errno) }
    unsafe self.handle = unsafe handle
    // No database on the machine: devices go by their own strings.
    unsafe database = unsafe udev_hwdb_new(handle)
  }

  deinit {
    if let database = unsafe database { _ = unsafe udev_hwdb_unref(database) }
    _ = unsafe udev_unref(handle)
  }

  /// Opens the monitor of what udevd says; throws `.monitor`.
  func monitor() throws(HotplugError) -> UdevMonitor {
    try unsafe UdevMonitor.open(context: handle)
  }

  /// The device at an absolute sysfs path; `nil` where there is none now.
  func device(at path: String) -> UdevDevice? {
    unsafe UdevDevice(owning: udev_device_new_from_syspath(handle, path))
  }

  /// The sysfs paths of all USB devices and interfaces, parents first.
  ///
  /// `nil` where the scan failed, so that a failure is not taken for an empty machine.
  func allPaths() -> [String]? {
    unsafe scan(parent: nil)
  }

  /// The sysfs paths of the USB device at `path` and of all below it; `nil` where the scan failed.
  func paths(below path: String) -> [String]? {
    guard let parent = unsafe udev_device_new_from_syspath(handle, path) else { return nil }
    defer { _ = unsafe udev_device_unref(parent) }
    return unsafe scan(parent: parent)
  }

  private func scan(parent: OpaquePointer?) -> [String]? {
    guard let enumerate = unsafe udev_enumerate_new(handle) else { return nil }
    defer { _ = unsafe udev_enumerate_unref(enumerate) }
    if let parent = unsafe parent {
      guard unsafe udev_enumerate_add_match_parent(enumerate, parent) >= 0 else { return nil }
    }
    guard unsafe udev_enumerate_add_match_subsystem(enumerate, "usb") >= 0,
      unsafe udev_enumerate_scan_devices(enumerate) >= 0
    else { return nil }
    var paths: [String] = []
    var entry = unsafe udev_enumerate_get_list_entry(enumerate)
    while let current = unsafe entry {
      if let path = unsafe copied(udev_list_entry_get_name(current)) { paths.append(path) }
      unsafe entry = unsafe udev_list_entry_get_next(current)
    }
    return paths
  }

  /// What the hardware database has for a modalias such as `usb:v046DpC31C`.
  func databaseProperties(modalias: String, names: [String]) -> [String: String] {
    guard let database = unsafe database else { return [:] }
    var found: [String: String] = [:]
    var entry = unsafe udev_hwdb_get_properties_list_entry(database, modalias, 0)
    while let current = unsafe entry {
      if let name = unsafe copied(udev_list_entry_get_name(current)), names.contains(name) {
        found[name] = unsafe copied(udev_list_entry_get_value(current))
      }
      unsafe entry = unsafe udev_list_entry_get_next(current)
    }
    return found
  }
}
