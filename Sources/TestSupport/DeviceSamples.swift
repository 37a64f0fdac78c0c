// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

public import AgentAPI
public import USBModel

/// Devices for tests: each sample differs from the others in every field people can name it by.
public enum DeviceSamples {
  /// A bus ID that is known to be well formed; `1-1` where `text` is not.
  public static func busID(_ text: String) -> BusID {
    guard let busID = BusID(text) ?? BusID("1-1") else { preconditionFailure("1-1 is a bus ID") }
    return busID
  }

  /// A memory stick on `busID`, its storage interface bound to `driver`.
  public static func disk(_ busID: String = "1-1.2", driver: String? = "usb-storage") -> Device {
    Device(
      busID: self.busID(busID), busNumber: 1, deviceNumber: 4, sysfsPath: "/sys/devices/\(busID)",
      speed: .high, vendorProduct: VendorProduct(vendor: 0x0781, product: 0x5567), release: 0x0126,
      interfaces: [Interface(number: 0, classCode: ClassCode(8, 6, 0x50), driver: driver)],
      manufacturer: "SanDisk", product: "Cruzer Blade", serial: "4C530001")
  }

  /// A mouse on `busID` without a serial number.
  public static func mouse(_ busID: String = "2-3") -> Device {
    Device(
      busID: self.busID(busID), busNumber: 2, deviceNumber: 7, sysfsPath: "/sys/devices/\(busID)",
      speed: .low, vendorProduct: VendorProduct(vendor: 0x046D, product: 0xC00C),
      interfaces: [Interface(number: 0, classCode: ClassCode(3, 1, 2), driver: "usbhid")],
      manufacturer: "Logitech", product: "M4848")
  }

  /// A hub on `busID`.
  public static func hub(_ busID: String = "1-1") -> Device {
    Device(
      busID: self.busID(busID), busNumber: 1, deviceNumber: 2, sysfsPath: "/sys/devices/\(busID)",
      speed: .high, vendorProduct: VendorProduct(vendor: 0x05E3, product: 0x0608),
      classCode: ClassCode(ClassCode.hub),
      interfaces: [Interface(number: 0, classCode: ClassCode(ClassCode.hub), driver: "hub")])
  }

  /// The mouse of the paper's Figure 6, free on host gamma.
  public static let mouseStatus = DeviceStatus(
    id: 2, name: "Logitech M4848", host: "gamma", address: "10.9.0.3", port: 3240, busID: "2-3",
    vendorID: "046d", productID: "c00c", localState: .detached, remoteState: .available,
    isLocal: false)

  /// The optical drive of the paper's Figure 6, attached here from host alpha.
  public static let opticalStatus = DeviceStatus(
    id: 3, name: "IO-DATA DEVICE,INC. Optical Storage", host: "alpha", address: "10.9.0.1",
    port: 3240, busID: "1-1", vendorID: "04bb", productID: "0147", serial: "0A1B2C",
    localState: .attached, remoteState: .inUse,
    remoteUser: RemoteUser(user: "taka", host: "beta"), nodes: ["/dev/sr0", "/dev/sg1"],
    isLocal: false)

  /// A disk of this machine that is mounted.
  public static let mountedStatus = DeviceStatus(
    id: 12, name: "SanDisk Cruzer Blade", host: "beta", address: "", port: 3240, busID: "1-1.2",
    vendorID: "0781", productID: "5567", serial: "4C530001", localState: .detached,
    remoteState: .denied, reason: "sdb1 is mounted on /home", isLocal: true)
}
