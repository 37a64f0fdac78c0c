// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

public import USBModel

/// What a rule asks of a device: every list that is not empty has to have something of it.
public struct DeviceCondition: Sendable, Hashable {
  /// idVendor.
  public var vendors: [UInt16] = []
  /// idProduct.
  public var products: [UInt16] = []
  /// Class codes: of the device, or of any of its interfaces.
  public var classes: [UInt8] = []
  /// iSerialNumber.
  public var serials: [TextPattern] = []
  /// Bus IDs: the device's own, or that of a hub above it.
  public var ports: [BusID] = []
  /// The device's own name.
  public var names: [TextPattern] = []

  /// Asks nothing: every device meets it.
  public init() {}

  /// True where `device` meets all of it.
  public func holds(for device: Device) -> Bool {
    meets(vendors) { $0 == device.vendorProduct.vendor }
      && meets(products) { $0 == device.vendorProduct.product }
      && meets(classes) { code in
        device.classCode.baseClass == code
          || device.interfaces.contains { $0.classCode.baseClass == code }
      }
      && meets(serials) { $0.matches(device.serial ?? "") }
      && meets(ports) { $0 == device.busID || $0.isAbove(device.busID) }
      && meets(names) { $0.matches(device.name) }
  }

  private func meets<Value>(_ values: [Value], _ isMet: (Value) -> Bool) -> Bool {
    values.isEmpty || values.contains(where: isMet)
  }
}

extension BusID {
  /// True where `other` hangs on the hub with this bus ID, however deep.
  fileprivate func isAbove(_ other: BusID) -> Bool {
    var hub = other.parent
    while let current = hub {
      if current == self { return true }
      hub = current.parent
    }
    return false
  }
}
