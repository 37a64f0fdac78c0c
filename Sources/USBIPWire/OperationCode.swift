// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// The operations of the phase before the first URB (tools/usb/usbip/src/usbip_network.h).
///
/// A request has bit 15 set on the wire, its reply has not.
public enum OperationCode: UInt16, Sendable, Hashable {
  case importDevice = 0x0003
  case deviceList = 0x0005

  /// The protocol version in front of every operation: 1.1.1.
  public static let version: UInt16 = 0x0111
  /// The bit that marks a request.
  static let requestBit: UInt16 = 0x8000
  /// Bytes of op_common: version, code, status.
  static let headerLength = 8
}

/// The outcome in an operation reply (`ST_*`, tools/usb/usbip/libsrc/usbip_common.h).
public enum OperationStatus: UInt32, Sendable, Hashable {
  case ok = 0
  /// The request failed for a reason that is not told.
  case notAvailable = 1
  /// Somebody else has the device.
  case busy = 2
  /// The device is in an error state.
  case deviceError = 3
  /// No such device is exported.
  case noDevice = 4
  /// The peer did not understand; also what any number unknown to us is read as.
  case unexpected = 5
}
