// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import SharePolicy
internal import USBModel
internal import Yams

/// Reading of `rules:`.
extension Configuration {
  /// The most rules.
  static let maximumRules = 1000
  /// The most values of one key of a rule.
  static let maximumValues = 100

  static func rules(_ node: Node) throws(Mistake) -> [ShareRule] {
    if node.null != nil { return [] }
    guard let items = node.sequence, items.count <= maximumRules else {
      throw Mistake(
        line: node.mark?.line, message: "rules: a list of at most \(maximumRules) rules is needed")
    }
    var rules: [ShareRule] = []
    for item in items { rules.append(try rule(item, number: rules.count + 1)) }
    return rules
  }

  /// One rule: `deny: {class: printer}`, or `allow: all`.
  private static func rule(_ node: Node, number: Int) throws(Mistake) -> ShareRule {
    let line = node.mark?.line
    guard let mapping = node.mapping, mapping.count == 1,
      let (key, value) = mapping.first,
      let effect = key.string.flatMap(ShareRule.Effect.init(rawValue:))
    else {
      throw Mistake(line: line, message: "rules: each begins with allow: or deny:")
    }
    let origin = "rule \(number)" + (line.map { ", line \($0)" } ?? "")
    var rule = ShareRule(effect, origin: origin)
    if value.string == "all" { return rule }
    guard let conditions = value.mapping, !conditions.isEmpty else {
      throw Mistake(
        line: value.mark?.line ?? line,
        message: "\(effect.rawValue): all is needed, or some of \(allowedKeys)")
    }
    for (key, value) in conditions { try add(key, value, to: &rule) }
    return rule
  }

  private static let allowedKeys = "vendor, product, class, serial, port, name, user, host"

  private static func add(_ key: Node, _ node: Node, to rule: inout ShareRule) throws(Mistake) {
    switch key.string {
    case "vendor":
      rule.devices.vendors = try values(key, node, "four hexadecimal digits") {
        VendorProduct.number($0)
      }
    case "product":
      rule.devices.products = try values(key, node, "four hexadecimal digits") {
        VendorProduct.number($0)
      }
    case "class":
      let names = ClassCode.names.keys.sorted().joined(separator: ", ")
      rule.devices.classes = try values(key, node, "two hexadecimal digits or one of \(names)") {
        ClassCode.base(named: $0)
      }
    case "port":
      rule.devices.ports = try values(key, node, "a bus ID such as 1-2 or 1-2.3") { BusID($0) }
    case "serial":
      rule.devices.serials = try values(key, node, textRule) { TextPattern($0) }
    case "name": rule.devices.names = try values(key, node, textRule) { TextPattern($0) }
    case "user": rule.users = try values(key, node, textRule) { TextPattern($0) }
    case "host": rule.hosts = try values(key, node, textRule) { TextPattern($0) }
    default:
      throw Mistake(
        line: key.mark?.line,
        message: "unknown key \(key.string ?? "?"); allowed are \(allowedKeys)")
    }
  }

  private static let textRule = "a text of 1 to \(TextPattern.maximumLength) bytes"

  /// One value or a list of them, each read by `read` from its text as it stands in the file.
  private static func values<Value>(
    _ key: Node, _ node: Node, _ allowed: String, _ read: (String) -> Value?
  ) throws(Mistake) -> [Value] {
    let name = key.string ?? "?"
    let items = node.sequence.map { Array($0) } ?? [node]
    guard !items.isEmpty, items.count <= maximumValues else {
      throw Mistake(
        line: node.mark?.line ?? key.mark?.line,
        message: "\(name): 1 to \(maximumValues) values are needed")
    }
    var values: [Value] = []
    for item in items {
      guard let text = item.scalar?.string, let value = read(text) else {
        throw Mistake(
          line: item.mark?.line ?? key.mark?.line, message: "\(name): \(allowed) is needed")
      }
      values.append(value)
    }
    return values
  }
}
