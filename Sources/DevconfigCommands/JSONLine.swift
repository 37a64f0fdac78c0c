// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI

/// One JSON object in one line, its members in the order of their names.
enum JSONLine {
  /// The line, without a newline.
  static func text(_ document: some Encodable) throws(AgentError) -> String {
    String(decoding: try Message.encode(document).dropLast(), as: UTF8.self)
  }
}
