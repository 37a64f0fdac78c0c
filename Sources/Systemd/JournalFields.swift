// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import Logging

/// The fields of one journal entry (systemd.journal-fields(7)).
enum JournalFields {
  /// What metadata keys begin with: `device.busid` becomes `DEVCONFIG_DEVICE_BUSID`.
  static let prefix = "DEVCONFIG_"
  /// The longest field name in bytes (journal-file.c refuses longer ones).
  static let maximumNameLength = 64
  /// The longest value of a field in bytes; longer ones are cut.
  static let maximumValueLength = 4096
  /// The most metadata fields of one entry; more are left out.
  static let maximumCount = 64

  /// All fields as `NAME=value` bytes.
  static func entry(
    _ event: LogEvent, identifier: String, label: String, pairs: [(key: String, value: String)]
  ) -> [[UInt8]] {
    var fields = [
      field("MESSAGE", LogText.line(message: event.message.description, pairs: pairs)),
      field("PRIORITY", String(priority(of: event.level))),
      field("SYSLOG_IDENTIFIER", identifier),
      field("CODE_FILE", event.file),
      field("CODE_LINE", String(event.line)),
      field("CODE_FUNC", event.function),
      field(name(of: "logger"), label),
    ]
    for (key, value) in pairs.prefix(maximumCount) {
      fields.append(field(name(of: key), value))
    }
    return fields
  }

  /// The level in the numbers of syslog(3).
  static func priority(of level: Logger.Level) -> Int {
    switch level {
    case .trace, .debug: 7
    case .info: 6
    case .notice: 5
    case .warning: 4
    case .error: 3
    case .critical: 2
    }
  }

  /// The field name of a metadata key: `A`–`Z`, digits and underscores only.
  static func name(of key: String) -> String {
    var bytes = Array(prefix.utf8)
    for byte in key.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"): bytes.append(byte - 0x20)
      case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"):
        bytes.append(byte)
      default: bytes.append(UInt8(ascii: "_"))
      }
      if bytes.count == maximumNameLength { break }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func field(_ name: String, _ value: String) -> [UInt8] {
    Array(name.utf8) + [UInt8(ascii: "=")] + LogText.cut(value, maximumLength(of: name)).utf8
  }

  private static func maximumLength(of name: String) -> Int {
    name == "MESSAGE" ? LogText.maximumLineLength : maximumValueLength
  }
}
