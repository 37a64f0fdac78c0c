// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// Descriptors of a made-up device in which nearly every byte differs, built by hand.
enum SampleDescriptors {
  static let device: [UInt8] = [
    18, 0x01, 0x10, 0x02, 0xEF, 0x22, 0x33, 64, 0x6D, 0x04, 0x1C, 0xC3, 0x56, 0x07, 1, 2, 3, 2,
  ]

  /// Value 5: interface 0 with altsettings 0 and 1, interface 2 with altsetting 0.
  static let first: [UInt8] = configuration(
    value: 5, attributes: 0xA0,
    [
      [8, 0x0B, 0, 3, 0x0E, 3, 0, 4],  // interface association
      interface(0, 0, 0x0E, 0x01, 0x02), endpoint(0x81, 3, 0x0010, 8),
      interface(0, 1, 0x0E, 0x02, 0x03), [5, 0x24, 1, 2, 3],  // class-specific
      endpoint(0x81, 3, 0x0020, 9), endpoint(0x02, 2, 0x0200, 0), endpoint(0x83, 1, 0x1400, 1),
      interface(2, 0, 0x08, 0x06, 0x50), endpoint(0x84, 2, 0x0200, 0), endpoint(0x04, 1, 0x03FF, 4),
    ])

  /// Value 6: SuperSpeed endpoints with companions.
  static let second: [UInt8] = configuration(
    value: 6, attributes: 0xC0,
    [
      interface(1, 0, 0xFF, 0, 0),
      endpoint(0x81, 1, 0x0400, 1), [6, 0x30, 3, 2, 0x00, 0x30],
      endpoint(0x02, 2, 0x0400, 0), [6, 0x30, 15, 4, 0, 0],
      endpoint(0x83, 1, 0x0400, 1), [6, 0x30, 15, 0x80, 1, 0],
      [8, 0x31, 0, 0, 0x78, 0x56, 0x34, 0x12],
      endpoint(0x05, 0, 0x0040, 0),
    ])

  static let all = device + first + second

  static func interface(
    _ number: UInt8, _ alternate: UInt8, _ base: UInt8, _ sub: UInt8, _ code: UInt8
  ) -> [UInt8] { [9, 0x04, number, alternate, 0, base, sub, code, 0] }

  static func endpoint(_ address: UInt8, _ attributes: UInt8, _ size: UInt16, _ interval: UInt8)
    -> [UInt8]
  { [7, 0x05, address, attributes, UInt8(size & 0xFF), UInt8(size >> 8), interval] }

  static func configuration(
    value: UInt8, attributes: UInt8, _ parts: [[UInt8]], declared: Int? = nil
  )
    -> [UInt8]
  {
    let body = Array(parts.joined())
    let total = declared ?? body.count + 9
    return [9, 0x02, UInt8(total & 0xFF), UInt8(total >> 8), 0, value, 4, attributes, 50] + body
  }
}
