// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// One configuration with all altsettings of all its interfaces (USB 2.0, 9.6.3).
public struct ConfigurationDescriptor: Sendable, Hashable {
  /// bConfigurationValue.
  public var value: UInt8
  /// bmAttributes: bit 6 self-powered, bit 5 remote wakeup.
  public var attributes: UInt8
  /// Every altsetting, in the order of the descriptors.
  public var interfaces: [InterfaceDescriptor]

  /// Takes the three parts.
  public init(value: UInt8, attributes: UInt8 = 0x80, interfaces: [InterfaceDescriptor] = []) {
    self.value = value
    self.attributes = attributes
    self.interfaces = interfaces
  }

  /// The altsetting asked for; the first one where a device repeats itself, as usbcore does.
  public func interface(_ number: UInt8, alternate: UInt8) -> InterfaceDescriptor? {
    interfaces.first { $0.number == number && $0.alternate == alternate }
  }
}
