// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

public import USBModel

/// Writes the replies of an exporter in the operation phase.
public enum OperationReply {
  /// OP_REP_DEVLIST: 12 bytes, then 312 and 4 for each interface per device.
  ///
  /// Devices beyond `WireLimits.maximumListedDevices` are left out.
  public static func deviceList(_ devices: [Device]) -> [UInt8] {
    let listed = devices.prefix(WireLimits.maximumListedDevices)
    var bytes = header(.deviceList, .ok)
    bytes.append(doubleWord: UInt32(listed.count))
    for device in listed {
      OperationDevice.append(device, to: &bytes)
      OperationDevice.appendInterfaces(device, to: &bytes)
    }
    return bytes
  }

  /// OP_REP_IMPORT with status 0, 320 bytes.
  ///
  /// The caller sees to bus and device number: clients in use keep each in one byte.
  public static func importReply(_ device: Device) -> [UInt8] {
    var bytes = header(.importDevice, .ok)
    OperationDevice.append(device, to: &bytes)
    return bytes
  }

  /// A reply of 8 bytes that carries nothing but `status`.
  public static func failure(_ code: OperationCode, _ status: OperationStatus) -> [UInt8] {
    header(code, status)
  }

  private static func header(_ code: OperationCode, _ status: OperationStatus) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.append(word: OperationCode.version)
    bytes.append(word: code.rawValue)
    bytes.append(doubleWord: status.rawValue)
    return bytes
  }
}
