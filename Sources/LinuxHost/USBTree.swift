// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import SystemPackage
public import USBModel

/// The USB devices of this machine, read from `/sys/bus/usb/devices`.
///
/// Reading may wait for the kernel's lock of a device (up to seconds during its reset).
public struct USBTree: Sendable {
  /// Where the kernel lists the devices of all buses, below the root of sysfs.
  static let directory: FilePath = "bus/usb/devices"

  private let sysfs: Sysfs

  /// Takes the tree of files to read.
  public init(sysfs: Sysfs) {
    self.sysfs = sysfs
  }

  /// All devices and hubs but root hubs, sorted by bus and port.
  ///
  /// Leaves out a device that is unplugged meanwhile or whose attributes make no sense.
  public func devices() -> [Device] {
    let names = (try? sysfs.entries(of: USBTree.directory)) ?? []
    return names.compactMap(BusID.init).sorted(by: USBTree.precedes)
      .compactMap { busID in (try? device(busID)) ?? nil }
  }

  /// One device; `nil` where there is none.
  ///
  /// Throws `HostError`: `EBADMSG` with the attribute's path where its text makes no sense, or the
  /// kernel's code where it cannot be read.
  public func device(_ busID: BusID) throws(HostError) -> Device? {
    let directory = USBTree.directory.appending(busID.description)
    guard let path = sysfs.resolved(directory) else { return nil }
    let attributes = AttributeReader(sysfs: sysfs, directory: directory)
    do {
      return try read(busID, path: path, attributes)
    } catch {
      // Between the first attribute and the last the device may have been unplugged.
      guard sysfs.exists(directory.appending("devnum")) else { return nil }
      throw error
    }
  }

  /// The interfaces of the active configuration by number, with the drivers bound to them.
  ///
  /// Leaves out an interface whose attributes make no sense.
  public func interfaces(of busID: BusID) -> [Interface] {
    let directory = USBTree.directory.appending(busID.description)
    let names = (try? sysfs.entries(of: directory)) ?? []
    return names.filter { $0.hasPrefix("\(busID):") }
      .compactMap { try? interface(directory.appending($0)) }
      .sorted { $0.number < $1.number }
  }

  private func read(
    _ busID: BusID, path: FilePath, _ attributes: AttributeReader
  ) throws(HostError) -> Device {
    guard let speed = Speed(sysfs: try attributes.text("speed")) else {
      throw attributes.malformed("speed")
    }
    return Device(
      busID: busID,
      busNumber: try attributes.decimal("busnum"),
      deviceNumber: try attributes.decimal("devnum"),
      sysfsPath: path.string,
      speed: speed,
      vendorProduct: VendorProduct(
        vendor: try attributes.hexadecimal("idVendor"),
        product: try attributes.hexadecimal("idProduct")),
      release: try attributes.hexadecimal("bcdDevice"),
      classCode: ClassCode(
        try attributes.hexadecimal("bDeviceClass"),
        try attributes.hexadecimal("bDeviceSubClass"),
        try attributes.hexadecimal("bDeviceProtocol")),
      // The kernel leaves it empty while no configuration is set.
      configurationValue: try attributes.text("bConfigurationValue").isEmpty
        ? 0 : attributes.decimal("bConfigurationValue"),
      configurationCount: try attributes.decimal("bNumConfigurations"),
      interfaces: interfaces(of: busID),
      manufacturer: deviceString("manufacturer", attributes),
      product: deviceString("product", attributes),
      serial: deviceString("serial", attributes),
      isImported: path.components.contains { VirtualHost.isController($0.string) })
  }

  private func interface(_ directory: FilePath) throws(HostError) -> Interface {
    let attributes = AttributeReader(sysfs: sysfs, directory: directory)
    return Interface(
      number: try attributes.hexadecimal("bInterfaceNumber"),
      classCode: ClassCode(
        try attributes.hexadecimal("bInterfaceClass"),
        try attributes.hexadecimal("bInterfaceSubClass"),
        try attributes.hexadecimal("bInterfaceProtocol")),
      driver: sysfs.linkName(directory.appending("driver")))
  }

  /// A string descriptor as the device gave it, without what could steer a terminal.
  private func deviceString(_ name: String, _ attributes: AttributeReader) -> String? {
    guard let text = attributes.optionalText(name) else { return nil }
    var kept = ""
    kept.unicodeScalars.append(
      contentsOf: text.unicodeScalars.filter { scalar in
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator,
          .paragraphSeparator:
          return false
        default:
          return true
        }
      })
    let trimmed = String(kept.trimmingASCIISpace())
    return trimmed.isEmpty ? nil : trimmed
  }

  /// Orders by number, so that `1-10` follows `1-2`.
  static func precedes(_ left: BusID, _ right: BusID) -> Bool {
    func numbers(_ busID: BusID) -> [Int] {
      busID.description.split { $0 == "-" || $0 == "." }.map { Int($0) ?? 0 }
    }
    return numbers(left).lexicographicallyPrecedes(numbers(right))
  }
}
