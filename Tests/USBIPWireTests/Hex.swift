// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// Bytes from hexadecimal digits; blanks and whatever follows a # in a line are skipped.
func bytes(_ text: String) -> [UInt8] {
  var digits: [UInt8] = []
  for line in text.split(separator: "\n") {
    let code = line.prefix { $0 != "#" }
    digits += code.compactMap { $0.hexDigitValue.map(UInt8.init) }
  }
  return stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}

/// Two digits a byte, 16 bytes a line, so that a difference shows its place.
func hex(_ bytes: some Sequence<UInt8>) -> String {
  var text = ""
  for (place, byte) in bytes.enumerated() {
    text += place == 0 ? "" : place.isMultiple(of: 16) ? "\n" : " "
    text += (byte < 16 ? "0" : "") + String(byte, radix: 16)
  }
  return text
}
