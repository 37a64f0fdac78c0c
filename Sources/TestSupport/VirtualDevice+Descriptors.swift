// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

public import USBModel

/// What the device says of itself.
extension VirtualDevice {
  /// Device descriptor and both configurations, as a usbfs node gives them.
  public static let descriptorBytes: [UInt8] = deviceDescriptor + first + second

  /// The same as a value.
  public static let layout: DeviceDescriptors = {
    do throws(DescriptorError) {
      return try DeviceDescriptors(parsing: descriptorBytes)
    } catch {
      preconditionFailure("the virtual device's own descriptors are sound: \(error)")
    }
  }()

  /// The device as an agent hands it over, under the bus ID `3-2.1`.
  public static func description(busID: String = "3-2.1") -> Device {
    guard let busID = BusID(busID) else { preconditionFailure("a test's own bus ID") }
    return Device(
      busID: busID, busNumber: 3, deviceNumber: 17,
      sysfsPath: "/sys/devices/pci0000:00/usb3/\(busID)", speed: .high,
      vendorProduct: VendorProduct(vendor: 0x1209, product: 0x0001), release: 0x0102,
      classCode: ClassCode(0xFF), configurationValue: 1, configurationCount: 2,
      interfaces: [
        Interface(number: 0, classCode: ClassCode(0x08, 0x06, 0x50)),
        Interface(number: 1, classCode: ClassCode(0xFF)),
      ], product: "Loopback")
  }

  private static let deviceDescriptor: [UInt8] = [
    18, 1, 0x00, 0x02, 0xFF, 0, 0, 64, 0x09, 0x12, 0x01, 0x00, 0x02, 0x01, 0, 2, 0, 2,
  ]

  private static let first = configuration(
    value: 1, interfaceCount: 2,
    [
      interface(0, alternate: 0, endpoints: 3, class: 0x08), endpoint(0x01, 2, 512),
      endpoint(0x81, 2, 512), endpoint(0x82, 3, 64),
      interface(0, alternate: 1, endpoints: 5, class: 0x08), endpoint(0x01, 2, 512),
      endpoint(0x81, 2, 512), endpoint(0x82, 3, 64), endpoint(0x83, 1, 192),
      endpoint(0x03, 1, 192),
      interface(1, alternate: 0, endpoints: 1, class: 0xFF), endpoint(0x84, 2, 512),
    ])

  private static let second = configuration(
    value: 2, interfaceCount: 1,
    [interface(0, alternate: 0, endpoints: 1, class: 0xFF), endpoint(0x05, 2, 512)])

  private static func configuration(
    value: UInt8, interfaceCount: UInt8, _ parts: [[UInt8]]
  ) -> [UInt8] {
    let content = parts.flatMap(\.self)
    return [9, 2, UInt8(9 + content.count), 0, interfaceCount, value, 0, 0x80, 50] + content
  }

  private static func interface(
    _ number: UInt8, alternate: UInt8, endpoints: UInt8, class baseClass: UInt8
  ) -> [UInt8] {
    [9, 4, number, alternate, endpoints, baseClass, 0, 0, 0]
  }

  private static func endpoint(_ address: UInt8, _ attributes: UInt8, _ size: UInt16) -> [UInt8] {
    [7, 5, address, attributes, UInt8(size & 0xFF), UInt8(size >> 8), 4]
  }
}
