// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// What the headers of the URB phase have in common: struct usbip_header
/// (drivers/usb/usbip/usbip_common.h), 48 bytes, big-endian but for the setup packet.
enum URBHeader {
  static let length = 48

  static let submit: UInt32 = 1
  static let unlink: UInt32 = 2
  static let submitReply: UInt32 = 3
  static let unlinkReply: UInt32 = 4

  static let directionOut: UInt32 = 0
  static let directionIn: UInt32 = 1
}
