// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// What changes the state of a device; each call may block, a reset up to seconds.
///
/// Called from a side thread, one call at a time, while the session's own thread makes no call to the
/// device: usbfs holds the device's lock meanwhile, and would make it wait. Results are 0 or a
/// negative errno.
public protocol DeviceControl: AnyObject, Sendable {
  /// Selects a configuration, 0 for none; ends the transfers of all interfaces.
  func setConfiguration(_ value: UInt8) -> Int32
  /// Selects an altsetting; ends the transfers of that interface.
  func setInterface(_ number: UInt8, alternate: UInt8) -> Int32
  /// Clears the halt of an endpoint that has no transfer under way.
  func clearHalt(endpointAddress: UInt8) -> Int32
  /// Resets the device and gives it its configuration and altsettings back; ends all transfers.
  func reset() -> Int32
}
