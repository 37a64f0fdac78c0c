// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import Testing
import USBModel

@testable import Hotplug

private typealias Attribute = DeviceRecord.Attribute

/// A keyboard with a second interface; every number is different.
private let keyboard = DeviceRecord(
  name: "3-2.1", path: "/sys/devices/pci0000:00/0000:00:14.0/usb3/3-2/3-2.1",
  attributes: [
    "busnum": "3", "devnum": "17", "speed": "1.5", "idVendor": "046d", "idProduct": "c31c",
    "bcdDevice": "6402", "bDeviceClass": "a1", "bDeviceSubClass": "b2", "bDeviceProtocol": "c3",
    "bConfigurationValue": "4", "bNumConfigurations": " 5", "bNumInterfaces": " 2",
    "manufacturer": "Logitech", "product": "USB Keyboard", "serial": "0815",
  ],
  properties: [
    "ID_VENDOR_FROM_DATABASE": "Logitech, Inc.", "ID_MODEL_FROM_DATABASE": "Keyboard K120",
  ],
  interfaces: [
    .init(
      name: "3-2.1:4.1",
      attributes: [
        "bInterfaceNumber": "01", "bInterfaceClass": "0a", "bInterfaceSubClass": "0b",
        "bInterfaceProtocol": "0c",
      ], driver: nil),
    .init(
      name: "3-2.1:4.0",
      attributes: [
        "bInterfaceNumber": "00", "bInterfaceClass": "03", "bInterfaceSubClass": "01",
        "bInterfaceProtocol": "02",
      ], driver: "usbhid"),
  ])

/// The keyboard with one attribute set, or taken away.
private func keyboard(_ attribute: String, _ value: String?) -> DeviceRecord {
  var record = keyboard
  record.attributes[attribute] = value
  return record
}

@Suite struct DeviceRecordTests {
  @Test func readsEveryAttribute() throws {
    let device = try keyboard.device()
    #expect(
      device
        == Device(
          busID: try #require(BusID("3-2.1")), busNumber: 3, deviceNumber: 17,
          sysfsPath: "/sys/devices/pci0000:00/0000:00:14.0/usb3/3-2/3-2.1", speed: .low,
          vendorProduct: VendorProduct(vendor: 0x046D, product: 0xC31C), release: 0x6402,
          classCode: ClassCode(0xA1, 0xB2, 0xC3), configurationValue: 4, configurationCount: 5,
          interfaces: [
            Interface(number: 0, classCode: ClassCode(3, 1, 2), driver: "usbhid"),
            Interface(number: 1, classCode: ClassCode(0x0A, 0x0B, 0x0C)),
          ],
          manufacturer: "Logitech", product: "USB Keyboard", serial: "0815",
          databaseVendor: "Logitech, Inc.", databaseProduct: "Keyboard K120", isImported: false))
  }

  @Test func readsADeviceWithoutStringsAndConfiguration() throws {
    var record = keyboard
    for name in ["manufacturer", "product", "serial"] { record.attributes[name] = nil }
    record.attributes["bConfigurationValue"] = ""
    record.attributes["bNumInterfaces"] = ""
    record.properties = [:]
    record.interfaces = []
    let device = try record.device()
    #expect(record.isComplete)
    #expect(device.configurationValue == 0)
    #expect(device.name == "USB device 046d:c31c")
    #expect(device.serial == nil)
  }

  @Test(arguments: [
    "busnum", "devnum", "speed", "idVendor", "idProduct", "bcdDevice", "bDeviceClass",
    "bDeviceSubClass", "bDeviceProtocol", "bNumConfigurations",
  ])
  func namesAMissingAttribute(attribute: String) {
    #expect(throws: DeviceFlaw.missing(attribute: attribute)) {
      try keyboard(attribute, nil).device()
    }
  }

  @Test(arguments: [
    ("busnum", "0"), ("busnum", "256"), ("busnum", "-1"), ("busnum", "+3"), ("busnum", ""),
    ("busnum", "99999999999999999999"), ("devnum", "1x"), ("devnum", "0"), ("speed", "unknown"),
    ("speed", ""), ("idVendor", "46d"), ("idVendor", "+46d"), ("idProduct", "c31cc"),
    ("bcdDevice", "64.2"), ("bDeviceClass", "1"), ("bDeviceClass", "+1"),
    ("bDeviceSubClass", "100"), ("bDeviceProtocol", "zz"), ("bConfigurationValue", "256"),
    ("bConfigurationValue", "one"), ("bNumConfigurations", "5 5"),
  ])
  func namesAMalformedAttribute(attribute: String, text: String) {
    #expect(throws: DeviceFlaw.malformed(attribute: attribute, text: text)) {
      try keyboard(attribute, text).device()
    }
  }

  @Test(arguments: ["usb3", "3-", "3-2:1.0", "", "3-2.1/..", "éé"])
  func refusesANameThatIsNoBusID(name: String) {
    var record = keyboard
    record.name = name
    #expect(throws: DeviceFlaw.notBusID(name)) { try record.device() }
  }

  @Test(arguments: [
    "bInterfaceNumber", "bInterfaceClass", "bInterfaceSubClass", "bInterfaceProtocol",
  ])
  func isSpoiledByOneInterface(attribute: String) {
    var record = keyboard
    record.interfaces[1].attributes[attribute] = nil
    #expect(throws: DeviceFlaw.missing(attribute: "3-2.1:4.0/\(attribute)")) {
      try record.device()
    }
    record.interfaces[1].attributes[attribute] = "3\u{1b}"
    #expect(throws: DeviceFlaw.malformed(attribute: "3-2.1:4.0/\(attribute)", text: "3")) {
      try record.device()
    }
  }

  @Test func knowsAnImportedDeviceByItsController() throws {
    var record = keyboard
    record.path = "/sys/devices/platform/vhci_hcd.0/usb3/3-2/3-2.1"
    #expect(try record.device().isImported)
    record.path = "/sys/devices/platform/not_vhci_hcd.0/usb3/3-2/3-2.1"
    #expect(try !record.device().isImported)
  }

  @Test func keepsOfTextsWhatIsSafeToShow() throws {
    #expect(
      try keyboard("product", " \u{1b}[2JKey\u{202E}board\u{0}\n ").device().product
        == "[2JKeyboard")
    #expect(try keyboard("serial", " \t\u{200B}").device().serial == nil)
    let long = String(repeating: "\u{20AC}", count: 200)
    let kept = try #require(try keyboard("manufacturer", long).device().manufacturer)
    #expect(kept.utf8.count == DeviceRecord.maximumTextLength)
    #expect(long.hasPrefix(kept))
  }

  @Test func waitsForAllInterfaces() {
    var record = keyboard
    #expect(record.isComplete)
    record.interfaces[0].attributes["bInterfaceProtocol"] = nil
    #expect(!record.isComplete)
    record.interfaces.removeFirst()
    #expect(!record.isComplete)
    record.attributes["bNumInterfaces"] = nil
    #expect(record.isComplete)
  }

  @Test func asksTheDatabaseAsUdevDoes() {
    #expect(keyboard.databaseModalias == "usb:v046DpC31C:")
    #expect(keyboard("idVendor", nil).databaseModalias == nil)
    #expect(keyboard("idProduct", "?").databaseModalias == nil)
  }

  @Test func neverTrapsOnAnyText() {
    let texts = [
      "", " ", "-", "\u{0}", "\u{FFFD}", "0x10", "é", String(repeating: "9", count: 4096),
    ]
    for attribute in Attribute.ofDevice {
      for text in texts { _ = try? keyboard(attribute, text).device() }
    }
    for attribute in Attribute.ofInterface {
      for text in texts {
        var record = keyboard
        record.interfaces[0].attributes[attribute] = text
        _ = try? record.device()
      }
    }
  }
}
