// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import USBModel

extension TXTRecord {
  /// The only version of the record there is so far.
  private static let version = "1"

  /// The strings of the DNS record as bytes, `key=value` each, the version first (RFC 6763, 6.7).
  ///
  /// Each has at most 255 bytes, and all together with their length bytes at most `maximumLength`.
  public var entries: [[UInt8]] {
    var pairs = [
      (Key.version, TXTRecord.version),
      (Key.busID, busID.description),
      (Key.id, id),
      (Key.vendor, VendorProduct.hex(vendorProduct.vendor)),
      (Key.product, VendorProduct.hex(vendorProduct.product)),
      (Key.classCode, TXTRecord.text(of: classCode)),
      (Key.state, state.rawValue),
      (Key.user, user),
      (Key.agent, agent),
      (Key.name, name),
    ]
    if let reason { pairs.append((Key.reason, reason)) }
    return pairs.map { Array("\($0)=\($1)".utf8) }
  }

  /// Reads the strings of a DNS record.
  ///
  /// `nil` for a record without our keys: another vendor's service of the same type. Unknown keys are
  /// ignored, and of a key that comes twice the first counts (RFC 6763, 6.4); keys are compared
  /// without case. Bytes that are no UTF-8 are replaced. Throws where the record is ours and not good.
  public static func decode(entries: [[UInt8]]) throws(TXTError) -> TXTRecord? {
    let length = entries.reduce(0) { $0 + $1.count + 1 }
    guard length <= maximumLength else { throw .recordTooLong(bytes: length) }
    let values = pairs(entries)
    guard values[Key.busID] != nil || values[Key.agent] != nil else { return nil }
    let version = try value(Key.version, in: values)
    guard version == TXTRecord.version else {
      throw .unsupportedVersion(PrintableText.kept(version, limit: 255))
    }
    return try TXTRecord(
      busID: try parsed(Key.busID, in: values) { BusID($0) },
      id: try value(Key.id, in: values),
      vendorProduct: VendorProduct(
        vendor: try parsed(Key.vendor, in: values) { VendorProduct.number($0) },
        product: try parsed(Key.product, in: values) { VendorProduct.number($0) }),
      classCode: try parsed(Key.classCode, in: values) { classCode(of: $0) },
      state: try parsed(Key.state, in: values) { State(rawValue: $0) },
      user: try value(Key.user, in: values),
      agent: try value(Key.agent, in: values),
      name: values[Key.name] ?? "",
      reason: values[Key.reason])
  }

  private static func pairs(_ entries: [[UInt8]]) -> [String: String] {
    var values: [String: String] = [:]
    for entry in entries {
      guard let equals = entry.firstIndex(of: UInt8(ascii: "=")), equals > 0 else { continue }
      let key = String(decoding: entry[..<equals], as: UTF8.self).lowercased()
      guard values[key] == nil else { continue }
      values[key] = String(decoding: entry[(equals + 1)...], as: UTF8.self)
    }
    return values
  }

  private static func value(
    _ key: String, in values: [String: String]
  ) throws(TXTError) -> String {
    guard let value = values[key] else { throw .missing(key: key) }
    return value
  }

  private static func parsed<Value>(
    _ key: String, in values: [String: String], _ parse: (String) -> Value?
  ) throws(TXTError) -> Value {
    let text = try value(key, in: values)
    guard let parsed = parse(text) else {
      throw .malformed(key: key, value: PrintableText.kept(text, limit: 255))
    }
    return parsed
  }

  /// Base class, subclass and protocol as six lower-case hexadecimal digits.
  private static func text(of code: ClassCode) -> String {
    [code.baseClass, code.subClass, code.protocolCode]
      .map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  private static func classCode(of text: String) -> ClassCode? {
    guard text.utf8.count == 6, text.utf8.allSatisfy(isHexDigit),
      let value = UInt32(text, radix: 16)
    else { return nil }
    return ClassCode(
      UInt8(truncatingIfNeeded: value >> 16), UInt8(truncatingIfNeeded: value >> 8),
      UInt8(truncatingIfNeeded: value))
  }

  private static func isHexDigit(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte) || (0x41...0x46).contains(byte)
  }
}
