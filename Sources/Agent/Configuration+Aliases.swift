// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

extension Configuration {
  /// The most aliases (`*name`) in the file.
  ///
  /// Each may stand for a list of others, and what they all stand for in the end grows like 3^(n/3); whoever
  /// compares two keys looks at all of it.
  static let maximumAliases = 32

  /// Throws `Mistake` where `yaml` has more than `maximumAliases`, before it is parsed.
  ///
  /// What looks like an alias inside a text counts too.
  static func checkAliases(_ yaml: String) throws(Mistake) {
    var count = 0
    var line = 1
    var before: UInt8 = UInt8(ascii: "\n")
    var last = before
    for byte in yaml.utf8 {
      if last == UInt8(ascii: "*"), isName(byte), canPrecede(before) {
        count += 1
        guard count <= maximumAliases else {
          throw Mistake(
            line: line, message: "more than \(maximumAliases) aliases (*NAME) are there")
        }
      }
      if byte == UInt8(ascii: "\n") { line += 1 }
      (before, last) = (last, byte)
    }
  }

  /// A byte of a name (YAML 1.2, 6.9.2, as libyaml restricts it).
  private static func isName(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "_"), UInt8(ascii: "-"):
      true
    default: false
    }
  }

  /// A byte behind which a node can begin: a space or the like, of which YAML has some beyond ASCII, or an
  /// indicator.
  private static func canPrecede(_ byte: UInt8) -> Bool {
    byte <= 0x20 || byte >= 0x80 || "[{,:".utf8.contains(byte)
  }
}
