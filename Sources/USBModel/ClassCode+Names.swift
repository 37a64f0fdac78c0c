// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

extension ClassCode {
  /// What people call the base classes of devices and interfaces.
  ///
  /// Source: the defined class codes of the USB-IF, usb.org/defined-class-codes.
  public static let names: [String: UInt8] = [
    "audio": 0x01, "communications": 0x02, "hid": 0x03, "physical": 0x05, "image": 0x06,
    "printer": 0x07, "storage": 0x08, "data": 0x0A, "smart-card": 0x0B, "security": 0x0D,
    "video": 0x0E, "health": 0x0F, "audio-video": 0x10, "wireless": 0xE0, "miscellaneous": 0xEF,
    "application": 0xFE, "vendor": 0xFF,
  ]

  /// The base class called `text`: one of `names`, or two hexadecimal digits; `nil` for anything else.
  public static func base(named text: String) -> UInt8? {
    if let code = names[text.lowercased()] { return code }
    guard text.utf8.count == 2, text.allSatisfy(\.isHexDigit) else { return nil }
    return UInt8(text, radix: 16)
  }
}
