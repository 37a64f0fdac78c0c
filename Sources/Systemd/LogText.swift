// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import Logging

/// Turns log events into text in which one event is one line.
enum LogText {
  /// The longest MESSAGE or console line in bytes; longer ones are cut.
  static let maximumLineLength = 8192
  /// The longest value of one key in a line, in bytes.
  static let maximumValueLength = 1024
  /// The longest status line of the service in bytes.
  static let maximumStatusLength = 1024

  /// The sentence and ` key=value` for each pair, in the order of the keys.
  static func line(message: String, pairs: [(key: String, value: String)]) -> String {
    var line = escaped(message, limit: maximumLineLength)
    for (key, value) in pairs {
      line += " " + escaped(key, limit: maximumValueLength) + "=" + quoted(value)
    }
    return cut(line, maximumLineLength)
  }

  /// All metadata of an event: the handler's, then the provider's, then the event's own; sorted.
  static func pairs(
    of event: LogEvent, handler: Logger.Metadata, provider: Logger.MetadataProvider?
  ) -> [(key: String, value: String)] {
    var merged = handler
    if let provided = provider?.get() { merged.merge(provided) { $1 } }
    if let own = event.metadata { merged.merge(own) { $1 } }
    if let error = event.error { merged["error"] = .string("\(error)") }
    return merged.map { (key: $0.key, value: $0.value.description) }.sorted { $0.key < $1.key }
  }

  /// The text itself where it is one plain word, or else in double quotes.
  private static func quoted(_ text: String) -> String {
    let body = escaped(text, limit: maximumValueLength)
    let isPlain = !body.isEmpty && body.utf8.allSatisfy { $0 != 0x20 && $0 != 0x22 && $0 != 0x3D }
    if isPlain { return body }
    var quoted = "\""
    for character in body.unicodeScalars {
      if character == "\"" { quoted += "\\" }
      quoted.unicodeScalars.append(character)
    }
    return quoted + "\""
  }

  /// Control and format characters as `\u{…}`: they could move a terminal's cursor, and journalctl
  /// hides a line that has them as "blob data".
  static func escaped(_ text: String, limit: Int) -> String {
    var escaped = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\n": escaped += "\\n"
      case "\t": escaped += "\\t"
      default:
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate:
          escaped += "\\u{" + String(scalar.value, radix: 16) + "}"
        default:
          escaped.unicodeScalars.append(scalar)
        }
      }
      if escaped.utf8.count > limit { return cut(escaped, limit) }
    }
    return escaped
  }

  /// The longest beginning of `text` of whole scalars and at most `limit` bytes.
  static func cut(_ text: String, _ limit: Int) -> String {
    guard text.utf8.count > limit else { return text }
    var kept = String.UnicodeScalarView()
    var length = 0
    for scalar in text.unicodeScalars {
      length += UTF8.width(scalar)
      guard length <= limit else { break }
      kept.append(scalar)
    }
    return String(kept)
  }
}
