// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import USBModel

extension DeviceRecord {
  /// The longest text kept of a string descriptor or of the hardware database, in bytes: 126 UTF-16
  /// units (USB 2.0, 9.6.7) make at most three bytes of UTF-8 each.
  static let maximumTextLength = 378

  /// Builds the value; throws what is missing or malformed, and never traps on the texts.
  ///
  /// One malformed interface spoils the device: a policy that sees only a part of a keyboard would
  /// not see the keyboard.
  func device() throws(DeviceFlaw) -> Device {
    guard let busID = BusID(name) else { throw .notBusID(printable(name)) }
    let speedText = try text(Attribute.speed)
    guard let speed = Speed(sysfs: speedText) else {
      throw .malformed(attribute: Attribute.speed, text: printable(speedText))
    }
    var parsed: [Interface] = []
    for record in interfaces { parsed.append(try record.interface()) }
    parsed.sort { $0.number < $1.number }
    return Device(
      busID: busID,
      busNumber: UInt32(try decimal(Attribute.busNumber, 1...255)),
      deviceNumber: UInt32(try decimal(Attribute.deviceNumber, 1...255)),
      sysfsPath: path, speed: speed,
      vendorProduct: VendorProduct(
        vendor: try word(Attribute.vendor), product: try word(Attribute.product)),
      release: try word(Attribute.release),
      classCode: ClassCode(
        try byte(Attribute.baseClass), try byte(Attribute.subClass),
        try byte(Attribute.protocolCode)),
      configurationValue: try configurationValue(),
      configurationCount: UInt8(try decimal(Attribute.configurationCount, 0...255)),
      interfaces: parsed,
      manufacturer: words(attributes[Attribute.manufacturerText]),
      product: words(attributes[Attribute.productText]),
      serial: words(attributes[Attribute.serialText]),
      databaseVendor: words(properties[Property.vendor]),
      databaseProduct: words(properties[Property.model]),
      isImported: SysfsPlace.isImported(path))
  }

  /// The kernel shows an empty text while the device is unconfigured.
  private func configurationValue() throws(DeviceFlaw) -> UInt8 {
    guard let text = attributes[Attribute.configurationValue], !text.isEmpty else { return 0 }
    return UInt8(try decimal(Attribute.configurationValue, 0...255))
  }

  private func text(_ attribute: String) throws(DeviceFlaw) -> String {
    guard let text = attributes[attribute] else { throw .missing(attribute: attribute) }
    return text
  }

  private func decimal(_ attribute: String, _ range: ClosedRange<Int>) throws(DeviceFlaw) -> Int {
    // `bNumConfigurations` is printed "%2d": the blank in front is the kernel's.
    let text = try text(attribute)
    let digits = text.drop { $0 == " " }
    guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let value = Int(digits),
      range.contains(value)
    else { throw .malformed(attribute: attribute, text: printable(text)) }
    return value
  }

  private func word(_ attribute: String) throws(DeviceFlaw) -> UInt16 {
    let text = try text(attribute)
    guard let value = VendorProduct.number(text) else {
      throw .malformed(attribute: attribute, text: printable(text))
    }
    return value
  }

  private func byte(_ attribute: String) throws(DeviceFlaw) -> UInt8 {
    try hexadecimalByte(attributes[attribute], attribute: attribute)
  }
}

extension DeviceRecord.InterfaceRecord {
  /// Builds the value; the flaw's attribute has the interface's name in front.
  func interface() throws(DeviceFlaw) -> Interface {
    typealias Attribute = DeviceRecord.Attribute
    return Interface(
      number: try byte(Attribute.interfaceNumber),
      classCode: ClassCode(
        try byte(Attribute.interfaceClass), try byte(Attribute.interfaceSubClass),
        try byte(Attribute.interfaceProtocol)),
      driver: words(driver))
  }

  private func byte(_ attribute: String) throws(DeviceFlaw) -> UInt8 {
    try hexadecimalByte(attributes[attribute], attribute: "\(printable(name))/\(attribute)")
  }
}

/// Reads two hexadecimal digits, the kernel's "%02x".
private func hexadecimalByte(_ text: String?, attribute: String) throws(DeviceFlaw) -> UInt8 {
  guard let text else { throw .missing(attribute: attribute) }
  guard text.utf8.count == 2, text.allSatisfy(\.isHexDigit), let value = UInt8(text, radix: 16)
  else { throw .malformed(attribute: attribute, text: printable(text)) }
  return value
}

/// A text for people without what could move a cursor; `nil` where nothing is left.
private func words(_ text: String?) -> String? {
  guard let text else { return nil }
  let kept = printable(text)
  return kept.isEmpty ? nil : kept
}

/// Drops control and format characters and blanks at both ends; bounded in bytes.
private func printable(_ text: String) -> String {
  var kept = ""
  var length = 0
  for scalar in text.unicodeScalars {
    switch scalar.properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator,
      .paragraphSeparator:
      continue
    default:
      break
    }
    if kept.isEmpty && scalar.properties.isWhitespace { continue }
    length += UTF8.width(scalar)
    guard length <= DeviceRecord.maximumTextLength else { break }
    kept.unicodeScalars.append(scalar)
  }
  while let last = kept.unicodeScalars.last, last.properties.isWhitespace {
    kept.unicodeScalars.removeLast()
  }
  return kept
}
