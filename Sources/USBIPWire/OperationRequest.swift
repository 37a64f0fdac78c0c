// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

public import USBModel

/// What a client asks for in the operation phase.
public enum OperationRequest: Sendable, Hashable {
  /// OP_REQ_DEVLIST: which devices are there?
  case deviceList
  /// OP_REQ_IMPORT of this device.
  case importDevice(BusID)
  /// OP_REQ_IMPORT of something that cannot be a device: to be answered `.noDevice`, then closed.
  case importUnnameable
}

/// Writes the requests a client sends.
public enum OperationRequestEncoder {
  /// OP_REQ_DEVLIST, 8 bytes.
  public static func deviceList() -> [UInt8] { header(.deviceList) }

  /// OP_REQ_IMPORT, 40 bytes.
  public static func importDevice(_ busID: BusID) -> [UInt8] {
    var bytes = header(.importDevice)
    bytes.append(text: busID.description, size: OperationDevice.busIDLength)
    return bytes
  }

  private static func header(_ code: OperationCode) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.append(word: OperationCode.version)
    bytes.append(word: OperationCode.requestBit | code.rawValue)
    bytes.append(doubleWord: 0)
    return bytes
  }
}
