// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import USBModel

/// A device in which every byte of the numbers differs, and its record on the wire by hand.
enum SampleDevice {
  static let device = Device(
    busID: BusID("3-2.1") ?? fallback, busNumber: 0x1112_1314, deviceNumber: 0x2122_2324,
    sysfsPath: "/sys/x", speed: .high,
    vendorProduct: VendorProduct(vendor: 0x3132, product: 0x4142), release: 0x5152,
    classCode: ClassCode(0x61, 0x62, 0x63), configurationValue: 0x64, configurationCount: 0x65,
    interfaces: [
      Interface(number: 0, classCode: ClassCode(0x71, 0x72, 0x73)),
      Interface(number: 1, classCode: ClassCode(0x81, 0x82, 0x83)),
    ])

  /// Another one, without interfaces.
  static let other = Device(
    busID: BusID("1-4") ?? fallback, busNumber: 1, deviceNumber: 2, sysfsPath: "",
    speed: .superSpeed, vendorProduct: VendorProduct(vendor: 0x9192, product: 0xA1A2),
    release: 0xB1B2, classCode: ClassCode(0xC1, 0xC2, 0xC3), configurationValue: 0xC4,
    configurationCount: 0xC5)

  private static var fallback: BusID { preconditionFailure("the sample has a bus ID") }

  /// struct usbip_usb_device, 312 bytes.
  static let record: [UInt8] =
    bytes("2f 73 79 73 2f 78") + zeros(250)  // 000 path
    + bytes("33 2d 32 2e 31") + zeros(27)  // 100 busid
    + bytes("11 12 13 14")  // 120 busnum
    + bytes("21 22 23 24")  // 124 devnum
    + bytes("00 00 00 03")  // 128 speed
    + bytes("31 32 41 42 51 52")  // 12c idVendor, idProduct, bcdDevice
    + bytes("61 62 63")  // 132 class, subclass, protocol
    + bytes("64 65 02")  // 135 value, configurations, interfaces

  static let interfaces = bytes("71 72 73 00  81 82 83 00")

  static let otherRecord: [UInt8] =
    zeros(256) + bytes("31 2d 34") + zeros(29)
    + bytes("00 00 00 01 00 00 00 02 00 00 00 05 91 92 a1 a2 b1 b2 c1 c2 c3 c4 c5 00")

  static func zeros(_ count: Int) -> [UInt8] { Array(repeating: 0, count: count) }
}
