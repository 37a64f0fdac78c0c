// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// The device descriptor and all configurations of a device, as the kernel keeps them.
///
/// A device chooses these bytes, so nothing in them is believed: the descriptors are walked by
/// bLength and wTotalLength bounds nothing. What usbcore skips is skipped here too
/// (drivers/usb/core/config.c), so that a device Linux can use can be shared.
public struct DeviceDescriptors: Sendable, Hashable {
  /// The most bytes accepted: a device descriptor and eight configurations (USB_MAXCONFIG).
  public static let maximumLength = 18 + 8 * 65_535

  /// bcdUSB, binary coded decimal.
  public let usbRelease: UInt16
  /// Class of the device descriptor.
  public let classCode: ClassCode
  /// bMaxPacketSize0 as it is in the descriptor: bytes, or from USB 3.0 on an exponent of 2.
  public let maximumPacketSize0: UInt8
  /// idVendor and idProduct.
  public let vendorProduct: VendorProduct
  /// bcdDevice, binary coded decimal.
  public let release: UInt16
  /// bNumConfigurations.
  public let configurationCount: UInt8
  /// The configurations found, in order; may be fewer or more than the device promised.
  public let configurations: [ConfigurationDescriptor]

  /// Reads the content of the sysfs attribute `descriptors`, or of a usbfs node.
  ///
  /// usbfs skips the part of a configuration that the device never delivered and leaves the
  /// reader's buffer as it was there, so that buffer must be zero before. usbfs gives the words of
  /// the device descriptor in the byte order of the machine; only little-endian machines are served.
  public init(parsing bytes: [UInt8]) throws(DescriptorError) {
    guard bytes.count <= DeviceDescriptors.maximumLength else {
      throw .tooLong(count: bytes.count)
    }
    guard let length = bytes.first else { throw .truncated(offset: 0) }
    guard length >= DescriptorType.deviceSize else {
      throw .invalidLength(offset: 0, length: length)
    }
    guard bytes.count >= Int(length) else { throw .truncated(offset: 0) }
    guard bytes[1] == DescriptorType.device else {
      throw .unexpectedType(offset: 0, type: bytes[1])
    }
    usbRelease = bytes.word(at: 2)
    classCode = ClassCode(bytes[4], bytes[5], bytes[6])
    maximumPacketSize0 = bytes[7]
    vendorProduct = VendorProduct(vendor: bytes.word(at: 8), product: bytes.word(at: 10))
    release = bytes.word(at: 12)
    configurationCount = bytes[17]
    var walk = DescriptorWalk(bytes: bytes, offset: Int(length))
    configurations = try walk.configurations()
  }

  /// The configuration with this bConfigurationValue.
  public func configuration(_ value: UInt8) -> ConfigurationDescriptor? {
    configurations.first { $0.value == value }
  }

  /// The packet size of endpoint 0 in bytes.
  public var defaultPacketSize: Int {
    // USB 3.2, 9.6.1: an exponent, always 9; USB 2.0, 9.6.1: 8, 16, 32 or 64 bytes.
    usbRelease >= 0x0300 && maximumPacketSize0 <= 15
      ? 1 << Int(maximumPacketSize0) : Int(maximumPacketSize0)
  }
}
