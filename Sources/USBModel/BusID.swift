// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// The place of a device in the USB tree of one machine, such as `3-2.1`.
///
/// The text is bus number, dash, port numbers joined by dots; at most 31 bytes, because the wire
/// field is 32 bytes with a terminating NUL. Root hubs (`usb1`) have no bus ID.
public struct BusID: Sendable, Hashable, CustomStringConvertible {
  /// The longest text in bytes (`USBIP_BUSID_SIZE` less its NUL, tools/usb/usbip/libsrc/usbip_common.h).
  public static let maximumLength = 31

  /// The text as the kernel spells it.
  public let description: String

  /// Checks `text` byte by byte; `nil` unless it is digits, one dash, and digits joined by dots.
  ///
  /// A number has one to three digits and no leading zero: buses and ports count from 1, and each
  /// device has one spelling only.
  public init?(_ text: some StringProtocol) {
    var fields: [Int] = [0]
    var dashes = 0
    guard text.utf8.count <= BusID.maximumLength else { return nil }
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "0") where fields[fields.count - 1] == 0:
        return nil
      case UInt8(ascii: "0")...UInt8(ascii: "9"):
        fields[fields.count - 1] += 1
      case UInt8(ascii: "-") where dashes == 0 && fields.count == 1:
        dashes = 1
        fields.append(0)
      case UInt8(ascii: ".") where dashes == 1:
        fields.append(0)
      default:
        return nil
      }
    }
    guard dashes == 1, fields.allSatisfy({ $0 > 0 && $0 <= 3 }) else { return nil }
    description = String(text)
  }

  /// The bus ID of the hub this device hangs on; `nil` when that is the root hub.
  public var parent: BusID? {
    guard let dot = description.lastIndex(of: ".") else { return nil }
    return BusID(description[..<dot])
  }

  /// The port of the parent hub, counted from 1.
  public var port: Int {
    let tail = description.split(whereSeparator: { $0 == "." || $0 == "-" }).last ?? "0"
    return Int(tail) ?? 0
  }

  /// The bus number in front of the dash.
  public var bus: Int {
    Int(description.prefix(while: { $0 != "-" })) ?? 0
  }

  /// The kernel's name of the root hub of this bus, such as `usb3`.
  public var rootHubName: String { "usb\(bus)" }
}

extension BusID: Codable {
  /// Reads a string; throws `DecodingError.dataCorrupted` where it is no bus ID.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    guard let value = BusID(try container.decode(String.self)) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a bus ID")
    }
    self = value
  }

  /// Writes the text.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}
