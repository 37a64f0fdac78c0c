// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

public import USBModel

/// The device record of the operation phase: struct usbip_usb_device and usbip_usb_interface
/// (tools/usb/usbip/libsrc/usbip_common.h), big-endian and packed.
enum OperationDevice {
  static let pathLength = 256
  static let busIDLength = 32
  /// path 256, busid 32, busnum 4, devnum 4, speed 4, three words, six bytes.
  static let length = 312
  /// Class, subclass, protocol and a byte of padding.
  static let interfaceLength = 4

  /// Appends the 312 bytes of a device, without its interfaces.
  static func append(_ device: Device, to bytes: inout [UInt8]) {
    bytes.append(text: device.sysfsPath, size: pathLength)
    bytes.append(text: device.busID.description, size: busIDLength)
    bytes.append(doubleWord: device.busNumber)
    bytes.append(doubleWord: device.deviceNumber)
    bytes.append(doubleWord: device.speed.onWire.rawValue)
    bytes.append(word: device.vendorProduct.vendor)
    bytes.append(word: device.vendorProduct.product)
    bytes.append(word: device.release)
    bytes.append(device.classCode.baseClass)
    bytes.append(device.classCode.subClass)
    bytes.append(device.classCode.protocolCode)
    bytes.append(device.configurationValue)
    bytes.append(device.configurationCount)
    bytes.append(UInt8(clamping: device.interfaces.count))
  }

  /// Appends the interfaces, 4 bytes each, as many as the record's count can tell.
  static func appendInterfaces(_ device: Device, to bytes: inout [UInt8]) {
    for interface in device.interfaces.prefix(Int(UInt8.max)) {
      bytes.append(interface.classCode.baseClass)
      bytes.append(interface.classCode.subClass)
      bytes.append(interface.classCode.protocolCode)
      bytes.append(0)
    }
  }

  /// Reads 312 bytes; the interfaces are not among them.
  static func decode(_ record: UnsafeRawBufferPointer) throws(WireError) -> Device {
    precondition(record.count >= length, "no whole device record")
    let speedCode = record.doubleWord(at: 296)
    guard let busID = busID(UnsafeRawBufferPointer(rebasing: record[256..<288])) else {
      throw .unnameableDevice
    }
    guard let speed = Speed(rawValue: speedCode) else { throw .unknownSpeed(speedCode) }
    let path = record[0..<pathLength].prefix { $0 != 0 }
    return Device(
      busID: busID, busNumber: record.doubleWord(at: 288), deviceNumber: record.doubleWord(at: 292),
      sysfsPath: String(decoding: path, as: UTF8.self), speed: speed,
      vendorProduct: VendorProduct(vendor: record.word(at: 300), product: record.word(at: 302)),
      release: record.word(at: 304), classCode: ClassCode(record[306], record[307], record[308]),
      configurationValue: record[309], configurationCount: record[310])
  }

  /// The bus ID in a field of 32 bytes; `nil` without NUL, or where the text is no bus ID.
  static func busID(_ field: UnsafeRawBufferPointer) -> BusID? {
    guard let end = field.firstIndex(of: 0) else { return nil }
    return BusID(String(decoding: field[..<end], as: UTF8.self))
  }
}

extension Device {
  /// The number an importer names this device by in every URB: bus in the high word, address in the low.
  public var devid: UInt32 { busNumber << 16 | deviceNumber & 0xFFFF }
}
