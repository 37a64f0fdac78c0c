// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

private import CUdev
internal import Glibc

/// The netlink socket on which udevd tells what it has finished with.
@safe struct UdevMonitor: ~Copyable {
  /// What one attempt to receive brought.
  enum Received: ~Copyable {
    case device(UdevDevice)
    /// Nothing more for now.
    case empty
    /// The kernel's buffer was full and events are lost.
    case overflow
  }

  /// The subsystems below a USB device whose changes are told as `childChanged`.
  static let childSubsystems = [
    "block", "hidraw", "input", "net", "printer", "sound", "tty", "usbmisc", "video4linux",
  ]

  /// The wished size of the socket's buffer in bytes; a hub with a disk shelf makes some thousand
  /// events of about 1 kB at once.
  ///
  /// Without CAP_NET_ADMIN the system's limit stays.
  static let bufferSize: Int32 = 8 << 20

  // SAFETY: owned from init to deinit; only the watch's thread uses it.
  private let handle: OpaquePointer

  /// Subscribes to USB and to `childSubsystems`; throws `.monitor`.
  ///
  /// Wants a living `struct udev`.
  static func open(context: OpaquePointer) throws(HotplugError) -> UdevMonitor {
    guard let handle = unsafe udev_monitor_new_from_netlink(context, "udev") else {
      throw .monitor(errno: errno)
    }
    let monitor = unsafe UdevMonitor(owning: handle)
    try monitor.subscribe()
    return monitor
  }

  private init(owning handle: OpaquePointer) {
    unsafe self.handle = unsafe handle
  }

  private func subscribe() throws(HotplugError) {
    for subsystem in ["usb"] + UdevMonitor.childSubsystems {
      let result = unsafe udev_monitor_filter_add_match_subsystem_devtype(handle, subsystem, nil)
      guard result >= 0 else { throw .monitor(errno: -result) }
    }
    _ = unsafe udev_monitor_set_receive_buffer_size(handle, UdevMonitor.bufferSize)
    let result = unsafe udev_monitor_enable_receiving(handle)
    guard result >= 0 else { throw .monitor(errno: -result) }
  }

  deinit { _ = unsafe udev_monitor_unref(handle) }

  /// Readable when `receive` has something; belongs to the monitor.
  var descriptor: Int32 { unsafe udev_monitor_get_fd(handle) }

  /// Takes one event without waiting.
  func receive() -> Received {
    errno = 0
    if let device = unsafe UdevDevice(owning: udev_monitor_receive_device(handle)) {
      return .device(device)
    }
    return errno == ENOBUFS ? .overflow : .empty
  }
}
