// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import PacketFilter

/// Rulesets as `nft -j list ruleset` prints them, put together from their parts.
struct Ruleset {
  private var items = [#"{"metainfo": {"version": "1.0.6", "json_schema_version": 1}}"#]
  var family = "inet"

  /// A chain at a hook, with these rules; each is the text of its statements.
  mutating func base(
    _ name: String, policy: String = "accept", hook: String = "input", type: String = "filter",
    priority: Int = 0, _ rules: String...
  ) {
    items.append(
      """
      {"chain": {"family": "\(family)", "table": "f", "name": "\(name)", "handle": 1, \
      "type": "\(type)", "hook": "\(hook)", "prio": \(priority), "policy": "\(policy)"}}
      """)
    add(name, rules)
  }

  /// A chain that others jump to.
  mutating func chain(_ name: String, _ rules: String...) {
    items.append(#"{"chain": {"family": "\#(family)", "table": "f", "name": "\#(name)"}}"#)
    add(name, rules)
  }

  /// A set or a map, with the text of its elements.
  mutating func set(_ name: String, _ elements: String, kind: String = "set") {
    items.append(
      #"{"\#(kind)": {"family": "\#(family)", "table": "f", "name": "\#(name)", "elem": [\#(elements)]}}"#
    )
  }

  /// A table with these flags.
  mutating func table(flags: String) {
    items.append(#"{"table": {"family": "\#(family)", "name": "f", "flags": \#(flags)}}"#)
  }

  private mutating func add(_ name: String, _ rules: [String]) {
    for rule in rules {
      items.append(
        #"{"rule": {"family": "\#(family)", "table": "f", "chain": "\#(name)", "expr": [\#(rule)]}}"#
      )
    }
  }

  func filter() throws -> PacketFilter {
    try PacketFilter(json: Array(#"{"nftables": [\#(items.joined(separator: ", "))]}"#.utf8))
  }

  /// The statement that compares a field with a value.
  static func match(_ left: String, _ right: String, op: String = "==") -> String {
    #"{"match": {"op": "\#(op)", "left": \#(left), "right": \#(right)}}"#
  }

  static let tcpPort = #"{"payload": {"protocol": "tcp", "field": "dport"}}"#
  static let interface = #"{"meta": {"key": "iifname"}}"#
  static let state = #"{"ct": {"key": "state"}}"#
  static let source = #"{"payload": {"protocol": "ip", "field": "saddr"}}"#
  static let established = match(state, #"["established", "related"]"#, op: "in") + ", " + accept
  static let accept = #"{"accept": null}"#
  static let drop = #"{"drop": null}"#
}
