// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import USBModel

/// What sysfs and the hardware database say of one device, as text: the seam between udev and the model.
struct DeviceRecord: Sendable, Hashable {
  /// One interface directory below the device.
  struct InterfaceRecord: Sendable, Hashable {
    /// The directory's name, such as `1-1:1.0`.
    var name: String
    /// sysfs attributes by name, without the trailing newline.
    var attributes: [String: String]
    /// The bound driver's name.
    var driver: String?
  }

  /// The directory's name, such as `1-1`.
  var name: String
  /// The absolute sysfs path.
  var path: String
  /// sysfs attributes by name, without the trailing newline.
  var attributes: [String: String]
  /// udev properties by name.
  var properties: [String: String]
  /// In any order.
  var interfaces: [InterfaceRecord]

  /// The attributes that are read (Documentation/ABI/{stable,testing}/sysfs-bus-usb).
  enum Attribute {
    static let busNumber = "busnum"
    static let deviceNumber = "devnum"
    static let speed = "speed"
    static let vendor = "idVendor"
    static let product = "idProduct"
    static let release = "bcdDevice"
    static let baseClass = "bDeviceClass"
    static let subClass = "bDeviceSubClass"
    static let protocolCode = "bDeviceProtocol"
    static let configurationValue = "bConfigurationValue"
    static let configurationCount = "bNumConfigurations"
    static let interfaceCount = "bNumInterfaces"
    static let manufacturerText = "manufacturer"
    static let productText = "product"
    static let serialText = "serial"

    /// All of a device.
    static let ofDevice = [
      busNumber, deviceNumber, speed, vendor, product, release, baseClass, subClass, protocolCode,
      configurationValue, configurationCount, interfaceCount, manufacturerText, productText,
      serialText,
    ]

    static let interfaceNumber = "bInterfaceNumber"
    static let interfaceClass = "bInterfaceClass"
    static let interfaceSubClass = "bInterfaceSubClass"
    static let interfaceProtocol = "bInterfaceProtocol"

    /// All of an interface.
    static let ofInterface = [
      interfaceNumber, interfaceClass, interfaceSubClass, interfaceProtocol,
    ]
  }

  /// The properties that are read (hwdb.d/20-usb-vendor-model.hwdb of systemd).
  enum Property {
    static let vendor = "ID_VENDOR_FROM_DATABASE"
    static let model = "ID_MODEL_FROM_DATABASE"

    /// Both.
    static let all = [vendor, model]
  }
}
