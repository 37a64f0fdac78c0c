// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// Keeps of outside text what is safe to show.
enum PrintableText {
  /// Drops control and format characters and the like, and blanks at both ends; the result has at
  /// most `limit` bytes and ends between two scalars.
  ///
  /// Bytes that are no UTF-8 become U+FFFD before.
  static func kept(_ text: some StringProtocol, limit: Int) -> String {
    var kept = String.UnicodeScalarView()
    var length = 0
    for scalar in text.unicodeScalars where isPrintable(scalar) {
      if kept.isEmpty && scalar.properties.isWhitespace { continue }
      length += UTF8.width(scalar)
      guard length <= limit else { break }
      kept.append(scalar)
    }
    while let last = kept.last, last.properties.isWhitespace { kept.removeLast() }
    return String(kept)
  }

  /// False for what could move a cursor, turn the writing direction or hide.
  static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator,
      .paragraphSeparator:
      false
    default:
      true
    }
  }
}
