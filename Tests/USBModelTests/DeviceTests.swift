// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import Testing
import USBModel

@Suite struct DeviceTests {
  private func device(
    manufacturer: String? = nil, product: String? = nil, serial: String? = nil,
    databaseVendor: String? = nil, databaseProduct: String? = nil
  ) throws -> Device {
    Device(
      busID: try #require(BusID("3-2.1")), busNumber: 3, deviceNumber: 7, speed: .high,
      vendorProduct: VendorProduct(vendor: 0x046D, product: 0xC31C), manufacturer: manufacturer,
      product: product, serial: serial, databaseVendor: databaseVendor,
      databaseProduct: databaseProduct)
  }

  @Test func namesFromTheBestSource() throws {
    #expect(try device().name == "USB device 046d:c31c")
    #expect(try device(databaseVendor: "Logitech, Inc.").name == "Logitech, Inc. 046d:c31c")
    #expect(try device(manufacturer: "Logitech", product: "M4848").name == "Logitech M4848")
    #expect(try device(product: "Keyboard").name == "Keyboard")
    #expect(
      try device(manufacturer: "Acme", databaseVendor: "Other", databaseProduct: "Disk").name
        == "Acme Disk")
    #expect(
      try device(product: "Own", databaseVendor: "Vendor", databaseProduct: "Theirs").name
        == "Vendor Own")
  }

  @Test func doesNotSayTheMakerTwice() throws {
    #expect(try device(manufacturer: "SanDisk", product: "SANDISK Ultra").name == "SANDISK Ultra")
  }

  @Test func takesBlankStringsForNone() throws {
    #expect(try device(manufacturer: "", product: " \t").name == "USB device 046d:c31c")
    #expect(try device(manufacturer: "  ", databaseVendor: "Acme").name == "Acme 046d:c31c")
    #expect(try device(manufacturer: "Acme ", product: "  Big   Disk  ").name == "Acme Big Disk")
  }

  @Test func keepsTerminalsOutOfTheHandsOfADevice() throws {
    let name = try device(
      manufacturer: "A\u{1B}[2Jcme", product: "Di\u{202E}sk\r\nroot# \u{9B}1m\0"
    )
    .name
    #expect(name == "A [2Jcme Disk root# 1m")
    #expect(try device(product: "Café 東京 №1").name == "Café 東京 №1")
    #expect(try device(product: "\u{7F}\u{200B}\u{FEFF}").name == "USB device 046d:c31c")
  }

  @Test func isIdentifiedBySerialOrByPlace() throws {
    #expect(try device(serial: "0123ABC").identity == "046d:c31c/0123ABC")
    #expect(try device().identity == "046d:c31c@3-2.1")
    #expect(try device(serial: "").identity == "046d:c31c@3-2.1")
    #expect(try device(serial: " \0").identity == "046d:c31c@3-2.1")
  }

  @Test func isAHubByDeviceOrInterface() throws {
    var some = try device()
    #expect(!some.isHub)
    some.interfaces = [
      Interface(number: 0, classCode: ClassCode(3)), Interface(number: 1, classCode: ClassCode(9)),
    ]
    #expect(some.isHub)
    some.interfaces = []
    some.classCode = ClassCode(9, 0, 1)
    #expect(some.isHub)
  }
}
