// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// One interface of a device in its active configuration and altsetting.
public struct Interface: Sendable, Hashable, Codable {
  /// bInterfaceNumber.
  public var number: UInt8
  /// Class, subclass and protocol.
  public var classCode: ClassCode
  /// The kernel driver bound to it; `nil` when none is.
  public var driver: String?

  /// Takes the three parts.
  public init(number: UInt8, classCode: ClassCode, driver: String? = nil) {
    self.number = number
    self.classCode = classCode
    self.driver = driver
  }
}

/// One USB device of this machine, or of an exporter, as a value.
public struct Device: Sendable, Hashable, Codable {
  /// Its place in the USB tree.
  public var busID: BusID
  /// The bus, at most 255 on the wire (the importer keeps it in one byte).
  public var busNumber: UInt32
  /// The address on the bus, likewise.
  public var deviceNumber: UInt32
  /// The absolute sysfs path; empty for a device known only from its announcement.
  public var sysfsPath: String
  /// The signalling speed.
  public var speed: Speed
  /// idVendor and idProduct.
  public var vendorProduct: VendorProduct
  /// bcdDevice, binary coded decimal.
  public var release: UInt16
  /// Class of the device descriptor.
  public var classCode: ClassCode
  /// bConfigurationValue of the active configuration; 0 while unconfigured.
  public var configurationValue: UInt8
  /// bNumConfigurations.
  public var configurationCount: UInt8
  /// The interfaces of the active configuration, in the kernel's order.
  public var interfaces: [Interface]
  /// iManufacturer; `nil` when the device has none.
  public var manufacturer: String?
  /// iProduct; `nil` when the device has none.
  public var product: String?
  /// iSerialNumber; `nil` when the device has none.
  public var serial: String?
  /// The vendor's name in the hardware database.
  public var databaseVendor: String?
  /// The product's name in the hardware database.
  public var databaseProduct: String?
  /// True for a device on one of vhci_hcd's buses: it came over the network already.
  public var isImported: Bool

  /// Takes all parts; the optional ones default to "none".
  public init(
    busID: BusID, busNumber: UInt32, deviceNumber: UInt32, sysfsPath: String = "",
    speed: Speed, vendorProduct: VendorProduct, release: UInt16 = 0,
    classCode: ClassCode = ClassCode(0), configurationValue: UInt8 = 1,
    configurationCount: UInt8 = 1, interfaces: [Interface] = [], manufacturer: String? = nil,
    product: String? = nil, serial: String? = nil, databaseVendor: String? = nil,
    databaseProduct: String? = nil, isImported: Bool = false
  ) {
    self.busID = busID
    self.busNumber = busNumber
    self.deviceNumber = deviceNumber
    self.sysfsPath = sysfsPath
    self.speed = speed
    self.vendorProduct = vendorProduct
    self.release = release
    self.classCode = classCode
    self.configurationValue = configurationValue
    self.configurationCount = configurationCount
    self.interfaces = interfaces
    self.manufacturer = manufacturer
    self.product = product
    self.serial = serial
    self.databaseVendor = databaseVendor
    self.databaseProduct = databaseProduct
    self.isImported = isImported
  }

  /// True for a hub, by the class of the device or of an interface.
  public var isHub: Bool {
    classCode.baseClass == ClassCode.hub
      || interfaces.contains { $0.classCode.baseClass == ClassCode.hub }
  }

  /// The name for people: the device's own strings first, then the hardware database, then numbers.
  ///
  /// A device writes its strings itself, so what a terminal would obey is left out, and a string
  /// with nothing to see counts as none.
  public var name: String {
    let maker = Device.printable(manufacturer) ?? Device.printable(databaseVendor)
    let model = Device.printable(product) ?? Device.printable(databaseProduct)
    switch (maker, model) {
    case (let maker?, let model?):
      return model.lowercased().hasPrefix(maker.lowercased()) ? model : "\(maker) \(model)"
    case (nil, let model?):
      return model
    case (let maker?, nil):
      return "\(maker) \(vendorProduct)"
    case (nil, nil):
      return "USB device \(vendorProduct)"
    }
  }

  /// What stays the same over a replug: vendor, product and serial, or else vendor, product and port.
  ///
  /// Two devices with the same serial on one machine are told apart by the caller, who sees both.
  public var identity: String {
    if let serial, Device.printable(serial) != nil { return "\(vendorProduct)/\(serial)" }
    return placeIdentity
  }

  /// Vendor, product and port: what tells apart devices that claim the same serial.
  public var placeIdentity: String { "\(vendorProduct)@\(busID)" }

  /// The words of `text` joined by one space, without control and format characters.
  private static func printable(_ text: String?) -> String? {
    guard let text else { return nil }
    var visible = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      switch scalar.properties.generalCategory {
      case .control, .lineSeparator, .paragraphSeparator, .spaceSeparator: visible.append(" ")
      case .format, .surrogate, .privateUse, .unassigned: break
      default: visible.append(scalar)
      }
    }
    let words = String(visible).split(separator: " ")
    return words.isEmpty ? nil : words.joined(separator: " ")
  }
}
