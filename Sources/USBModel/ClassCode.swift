// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// Class, subclass and protocol of a device or an interface (USB 2.0, 9.6.1 and 9.6.5).
public struct ClassCode: Sendable, Hashable, Codable {
  /// bDeviceClass or bInterfaceClass.
  public var baseClass: UInt8
  /// bDeviceSubClass or bInterfaceSubClass.
  public var subClass: UInt8
  /// bDeviceProtocol or bInterfaceProtocol.
  public var protocolCode: UInt8

  /// Takes the three bytes.
  public init(_ baseClass: UInt8, _ subClass: UInt8 = 0, _ protocolCode: UInt8 = 0) {
    self.baseClass = baseClass
    self.subClass = subClass
    self.protocolCode = protocolCode
  }

  /// Hub class (USB 2.0, 11.23.1).
  public static let hub: UInt8 = 0x09
  /// Human interface device class (HID 1.11, 4.1).
  public static let humanInterface: UInt8 = 0x03
  /// Mass storage class.
  public static let massStorage: UInt8 = 0x08
  /// Wireless controller class, used by Bluetooth adapters.
  public static let wirelessController: UInt8 = 0xE0
}
