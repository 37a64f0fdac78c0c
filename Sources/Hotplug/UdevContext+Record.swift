// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import USBModel

extension UdevContext {
  /// Reads all texts of the USB device at the sysfs path `path`; `nil` where there is none now.
  func record(at path: String) -> DeviceRecord? {
    guard let device = device(at: path), device.type == "usb_device" else { return nil }
    let name = device.name
    var record = DeviceRecord(
      name: name, path: path, attributes: device.attributes(DeviceRecord.Attribute.ofDevice),
      properties: device.properties(DeviceRecord.Property.all), interfaces: [])
    if record.properties.isEmpty, let modalias = record.databaseModalias {
      record.properties = databaseProperties(
        modalias: modalias, names: DeviceRecord.Property.all)
    }
    for interfacePath in paths(below: path) ?? [] {
      // Devices below a hub are found too; interfaces are called "BUSID:CONFIGURATION.NUMBER".
      guard let interface = self.device(at: interfacePath), interface.type == "usb_interface"
      else { continue }
      let interfaceName = interface.name
      guard interfaceName.hasPrefix("\(name):") else { continue }
      record.interfaces.append(
        DeviceRecord.InterfaceRecord(
          name: interfaceName,
          attributes: interface.attributes(DeviceRecord.Attribute.ofInterface),
          driver: interface.driver))
    }
    return record
  }
}

extension DeviceRecord {
  /// False while the kernel is still making, or removing, the interfaces of the configuration.
  ///
  /// Events of the interfaces follow. Half a device is not told: a policy would not see the keyboard
  /// in it.
  var isComplete: Bool {
    guard let text = attributes[Attribute.interfaceCount],
      let count = Int(text.drop { $0 == " " })
    else { return true }
    let whole = interfaces.filter { $0.attributes.count == Attribute.ofInterface.count }
    return whole.count >= count
  }

  /// What to look up in the hardware database where udevd did not (udev-builtin-hwdb.c makes the
  /// same text for a USB device); `nil` without the two numbers.
  var databaseModalias: String? {
    guard let vendor = attributes[Attribute.vendor].flatMap(VendorProduct.number),
      let product = attributes[Attribute.product].flatMap(VendorProduct.number)
    else { return nil }
    return
      "usb:v\(VendorProduct.hex(vendor).uppercased())p\(VendorProduct.hex(product).uppercased())"
      + ":"
  }
}
