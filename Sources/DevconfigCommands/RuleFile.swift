// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI

/// The text of devconfig.yaml, into which rules are put line by line; everything else stays as it is.
struct RuleFile: Hashable {
  /// What stands behind a rule that a verb wrote.
  private static let mark = "  # devconfig "
  /// The indentation of the first rule of all.
  private static let usualIndentation = "  "

  private var lines: [Substring]

  /// Takes the whole text.
  init(_ text: String) {
    lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    if lines.last?.isEmpty == true { lines.removeLast() }
  }

  /// The whole text, which ends with a newline.
  var text: String { lines.map { $0 + "\n" }.joined() }

  /// Puts what `rule` says before all others, and takes out those that `share` and `unshare` wrote for the same
  /// device before.
  ///
  /// Throws `AgentError` where the rules are not a list of lines.
  mutating func put(_ rule: DeviceRule) throws(AgentError) {
    // The brace: another device's serial number may begin with this one's.
    lines.removeAll { line in
      line.contains(RuleFile.mark)
        && (line.contains("{\(rule.device)}") || line.contains("{\(rule.device), "))
    }
    let start = try startOfRules()
    let next = lines[start...].first { !$0.allSatisfy(\.isWhitespace) && !RuleFile.isComment($0) }
    var indentation = RuleFile.usualIndentation[...]
    if let next, next.drop(while: { $0 == " " }).hasPrefix("-") {
      indentation = next.prefix { $0 == " " }
    }
    lines.insert(
      contentsOf: rule.texts.map { "\(indentation)- \($0)\(RuleFile.mark)\(rule.verb)"[...] },
      at: start)
  }

  /// The place behind the line `rules:`, which is made where there is none.
  private mutating func startOfRules() throws(AgentError) -> Int {
    guard let index = lines.firstIndex(where: { $0.hasPrefix("rules:") }) else {
      lines.append("rules:")
      return lines.count
    }
    let content = lines[index].dropFirst("rules:".count)
      .prefix { $0 != "#" }.filter { !$0.isWhitespace }
    switch content {
    case "": break
    case "[]", "~", "null": lines[index] = "rules:"
    default:
      throw AgentError(
        .failed, "the rules are not a list of lines, into which one could be put",
        hint: "write the rule by hand: man devconfig.yaml")
    }
    return index + 1
  }

  private static func isComment(_ line: Substring) -> Bool {
    line.drop(while: { $0 == " " }).hasPrefix("#")
  }
}
