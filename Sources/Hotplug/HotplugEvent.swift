// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

public import USBModel

/// One change of this machine's USB devices, told in order.
///
/// The events of one bus ID make sense by themselves: `added` only after "not there", `changed` and
/// `removed` only after `added`.
public enum HotplugEvent: Sendable, Hashable {
  /// The device is there and was not before.
  case added(Device)
  /// A value of a device that was told before is different: a driver, the configuration, a name.
  case changed(Device)
  /// The device that was told under this bus ID is gone.
  case removed(BusID)
  /// Something below the device came, went or changed; `subsystem` is the kernel's word, such as `block`.
  case childChanged(BusID, subsystem: String)
  /// A device that cannot be told, because of what it says of itself; `path` is its sysfs path.
  case skipped(path: String, flaw: DeviceFlaw)
  /// All devices of this moment were told. Comes once at the start, and again after events were
  /// lost: `childChanged` may be missing before it, so what hangs below devices wants a new look.
  case listed
}
