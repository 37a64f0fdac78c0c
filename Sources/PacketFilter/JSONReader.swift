// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// Reads JSON (RFC 8259) in one go.
///
/// A ruleset has many small values of unknown form; a decoder that tries one type after the other takes seconds.
struct JSONReader {
  /// Values within values; nft has about ten.
  static let maximumDepth = 64

  private let bytes: [UInt8]
  private var position = 0

  /// The value that `bytes` are; throws `PacketFilterError.malformed`.
  static func read(_ bytes: [UInt8]) throws(PacketFilterError) -> JSONValue {
    var reader = JSONReader(bytes: bytes)
    let value = try reader.value(depth: 0)
    reader.skipSpace()
    guard reader.position == bytes.count else { throw .malformed }
    return value
  }

  private init(bytes: [UInt8]) { self.bytes = bytes }

  private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func skipSpace() {
    while let byte = next, byte == 0x20 || (0x09...0x0D).contains(byte) { position += 1 }
  }

  /// Steps over `character`, with space before it; false where another one is there.
  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    skipSpace()
    guard next == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private mutating func value(depth: Int) throws(PacketFilterError) -> JSONValue {
    guard depth < JSONReader.maximumDepth else { throw .malformed }
    if take("{") { return try object(depth: depth + 1) }
    if take("[") { return try array(depth: depth + 1) }
    if take("\"") { return .string(try string()) }
    return try word()
  }

  private mutating func object(depth: Int) throws(PacketFilterError) -> JSONValue {
    var members: [String: JSONValue] = [:]
    if take("}") { return .object(members) }
    repeat {
      guard take("\"") else { throw .malformed }
      let name = try string()
      guard take(":") else { throw .malformed }
      members[name] = try value(depth: depth)
    } while take(",")
    guard take("}") else { throw .malformed }
    return .object(members)
  }

  private mutating func array(depth: Int) throws(PacketFilterError) -> JSONValue {
    var elements: [JSONValue] = []
    if take("]") { return .array(elements) }
    repeat { elements.append(try value(depth: depth)) } while take(",")
    guard take("]") else { throw .malformed }
    return .array(elements)
  }

  /// A string behind its first quotation mark.
  ///
  /// An escaped character that is not ASCII becomes `?`: no name has one.
  private mutating func string() throws(PacketFilterError) -> String {
    var text: [UInt8] = []
    while let byte = next {
      position += 1
      switch byte {
      case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
      case UInt8(ascii: "\\"): text.append(try escaped())
      default: text.append(byte)
      }
    }
    throw .malformed
  }

  private mutating func escaped() throws(PacketFilterError) -> UInt8 {
    guard let byte = next else { throw .malformed }
    position += 1
    switch byte {
    case UInt8(ascii: "n"): return 0x0A
    case UInt8(ascii: "t"): return 0x09
    case UInt8(ascii: "r"): return 0x0D
    case UInt8(ascii: "b"): return 0x08
    case UInt8(ascii: "f"): return 0x0C
    case UInt8(ascii: "u"):
      guard position + 4 <= bytes.count,
        let number = UInt16(
          String(decoding: bytes[position..<position + 4], as: UTF8.self), radix: 16)
      else { throw .malformed }
      position += 4
      return number < 0x80 ? UInt8(number) : UInt8(ascii: "?")
    default: return byte
    }
  }

  /// A number, `true`, `false` or `null`.
  private mutating func word() throws(PacketFilterError) -> JSONValue {
    let start = position
    while let byte = next, byte > 0x20, !",]}".utf8.contains(byte) { position += 1 }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    switch text {
    case "true": return .boolean(true)
    case "false": return .boolean(false)
    case "null": return .null
    default:
      if let number = Int(text) { return .number(number) }
      guard Double(text) != nil else { throw .malformed }
      return .null
    }
  }
}
