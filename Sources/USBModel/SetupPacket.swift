// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// The eight bytes that open a control transfer (USB 2.0, 9.3).
///
/// On the wire of USB and of USB/IP the three words are little-endian; here they are numbers.
public struct SetupPacket: Sendable, Hashable {
  /// The size on the wire in bytes.
  public static let size = 8

  /// bmRequestType: direction, type, recipient.
  public var requestType: UInt8
  /// bRequest.
  public var request: UInt8
  /// wValue.
  public var value: UInt16
  /// wIndex.
  public var index: UInt16
  /// wLength, the size of the data stage in bytes.
  public var length: UInt16

  /// Takes the five fields.
  public init(
    requestType: UInt8, request: UInt8, value: UInt16 = 0, index: UInt16 = 0, length: UInt16 = 0
  ) {
    self.requestType = requestType
    self.request = request
    self.value = value
    self.index = index
    self.length = length
  }

  /// Reads the first eight bytes; `nil` where there are fewer.
  ///
  /// Does not allocate.
  public init?(bytes: UnsafeRawBufferPointer) {
    guard bytes.count >= SetupPacket.size else { return nil }
    self.init(
      requestType: bytes[0], request: bytes[1],
      value: UInt16(bytes[2]) | UInt16(bytes[3]) << 8,
      index: UInt16(bytes[4]) | UInt16(bytes[5]) << 8,
      length: UInt16(bytes[6]) | UInt16(bytes[7]) << 8)
  }

  /// Writes the eight bytes to the front of `buffer`, which must have room for them.
  ///
  /// Does not allocate. usbfs wants them in front of the data of a control URB.
  public func encode(into buffer: UnsafeMutableRawBufferPointer) {
    precondition(buffer.count >= SetupPacket.size, "no room for a setup packet")
    buffer[0] = requestType
    buffer[1] = request
    buffer[2] = UInt8(truncatingIfNeeded: value)
    buffer[3] = UInt8(truncatingIfNeeded: value >> 8)
    buffer[4] = UInt8(truncatingIfNeeded: index)
    buffer[5] = UInt8(truncatingIfNeeded: index >> 8)
    buffer[6] = UInt8(truncatingIfNeeded: length)
    buffer[7] = UInt8(truncatingIfNeeded: length >> 8)
  }

  /// True where the device sends the data stage; a request without data stage is OUT.
  ///
  /// The rule of usb_submit_urb (drivers/usb/core/urb.c).
  public var isIn: Bool { requestType & 0x80 != 0 && length > 0 }
}
