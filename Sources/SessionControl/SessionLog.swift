// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

private import Glibc

/// Lines for the journal, on standard error: a constant sentence, then `key=value` data.
///
/// The number in front is the priority (sd-daemon(3), "SD_ERR" and its like).
public enum SessionLog {
  /// How urgent a line is.
  public enum Priority: Int, Sendable {
    case error = 3
    case warning = 4
    case notice = 5
    case info = 6
  }

  /// Bytes of one value that are kept.
  public static let maximumValueLength = 200

  /// The text of one line; values are quoted where they have anything but plain characters.
  public static func line(
    _ priority: Priority, _ sentence: StaticString, _ data: KeyValuePairs<StaticString, String>
  ) -> String {
    var text = "<\(priority.rawValue)>\(sentence)"
    for (key, value) in data {
      text += " \(key)=\(quoted(value))"
    }
    return text + "\n"
  }

  /// Writes one line; what cannot be written is lost.
  public static func write(
    _ priority: Priority, _ sentence: StaticString, _ data: KeyValuePairs<StaticString, String>
  ) {
    let bytes = Array(line(priority, sentence, data).utf8)
    _ = Glibc.write(STDERR_FILENO, bytes, bytes.count)
  }

  private static func quoted(_ value: String) -> String {
    let kept = value.utf8.prefix(maximumValueLength)
    let isPlain = kept.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        true
      default:
        ".:-_[]%@/()".utf8.contains(byte)
      }
    }
    if isPlain, !kept.isEmpty { return String(decoding: kept, as: UTF8.self) }
    var text = "\""
    for byte in kept {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"):
        text += "\\" + String(UnicodeScalar(byte))
      case 0x20..<0x7F: text += String(UnicodeScalar(byte))
      default: text += "."
      }
    }
    return text + "\""
  }
}
