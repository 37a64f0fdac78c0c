// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// One packet on its way through the chains of one table.
struct Passage {
  /// What may become of the packet; several where it depends on what is not known.
  struct Outcome: OptionSet {
    let rawValue: UInt8

    static let accepted = Outcome(rawValue: 1)
    static let dropped = Outcome(rawValue: 2)
    /// The chain does not decide.
    static let onward = Outcome(rawValue: 4)
  }

  /// Targets of ip_tables that let the packet go on to the next rule.
  private static let harmless: Set<String> = [
    "LOG", "NFLOG", "ULOG", "MARK", "CONNMARK", "CT", "TCPMSS", "TRACE", "CLASSIFY", "DSCP", "TOS",
    "SECMARK", "CONNSECMARK", "CHECKSUM", "AUDIT",
  ]
  /// Chains within chains; the kernel has no more (NFT_JUMP_STACK_SIZE, include/net/netfilter/nf_tables.h).
  private static let maximumDepth = 16
  /// Statements that neither match nor decide.
  private static let silent: Set<String> = ["counter", "log", "mangle", "notrack", "comment"]

  let filter: PacketFilter
  let packet: Packet
  let family: String
  let table: String
  private var known: [String: Outcome] = [:]
  private var depth = 0

  init(filter: PacketFilter, packet: Packet, family: String, table: String) {
    self.filter = filter
    self.packet = packet
    self.family = family
    self.table = table
  }

  /// What the chain `name` does with the packet.
  mutating func outcome(of name: String) -> Outcome {
    if let outcome = known[name] { return outcome }
    // The kernel refuses both more of them and loops; a text that has them anyway ends here.
    guard depth < Passage.maximumDepth else { return [.accepted, .dropped, .onward] }
    depth += 1
    defer { depth -= 1 }
    known[name] = .onward
    let outcome = walk(filter.chains[self.name(name)]?.rules ?? [])
    known[name] = outcome
    return outcome
  }

  /// The elements of a set that is given by its name, or in place.
  func elements(of set: JSONValue) -> [JSONValue]? {
    if let text = set.string, text.hasPrefix("@") {
      return filter.sets[name(String(text.dropFirst()))]
    }
    return set["set"]?.array ?? set.array
  }

  private func name(_ name: String) -> PacketFilter.Name {
    PacketFilter.Name(family: family, table: table, name: name)
  }

  private mutating func walk(_ rules: [[JSONValue]]) -> Outcome {
    var seen: Outcome = []
    for rule in rules {
      let (answer, outcome, leaves) = judge(rule)
      guard answer != .no else { continue }
      // What a chain that leaves does not decide is decided behind this chain.
      seen.formUnion(leaves ? outcome : outcome.subtracting(.onward))
      if answer == .yes, leaves || !outcome.contains(.onward) { return seen }
    }
    return seen.union(.onward)
  }

  /// Whether a rule is for the packet, what it does then, and whether it leaves its chain with that.
  private mutating func judge(
    _ rule: [JSONValue]
  ) -> (answer: Answer, outcome: Outcome, leaves: Bool) {
    var answer = Answer.yes
    for statement in rule {
      guard let (kind, value) = statement.single else {
        answer = answer.and(.maybe)
        continue
      }
      switch kind {
      case "match":
        answer = answer.and(Comparison(passage: self).answer(value))
        if answer == .no { return (.no, .onward, false) }
      case "accept": return (answer, .accepted, false)
      case "drop", "reject": return (answer, .dropped, false)
      case "queue": return (answer, [.accepted, .dropped], false)
      case "continue": return (answer, .onward, false)
      case "return": return (answer, .onward, true)
      case "jump", "goto":
        return (answer, value["target"]?.string.map { outcome(of: $0) } ?? .onward, kind == "goto")
      case "vmap":
        return (answer, verdicts(value), false)
      case "xt" where value["type"]?.string == "target":
        let name = value["name"]?.string ?? ""
        if Passage.harmless.contains(name) { continue }
        return (answer, name == "REJECT" ? .dropped : [.dropped, .accepted, .onward], false)
      case "xt" where value["name"]?.string == "comment":
        continue
      case let kind where Passage.silent.contains(kind):
        continue
      default:
        // A limit, a match of ip_tables, or what a later nft has: it may be for the packet.
        answer = answer.and(.maybe)
      }
    }
    return (answer, .onward, false)
  }

  /// What a map of verdicts says for the packet.
  private mutating func verdicts(_ map: JSONValue) -> Outcome {
    guard let key = map["key"], let data = map["data"], let pairs = elements(of: data) else {
      return [.accepted, .dropped, .onward]
    }
    var seen: Outcome = []
    for pair in pairs {
      guard let parts = pair.array, parts.count == 2 else { continue }
      let match = JSONValue.object(["op": .string("=="), "left": key, "right": parts[0]])
      let answer = Comparison(passage: self).answer(match)
      guard answer != .no else { continue }
      let (_, outcome, leaves) = judge([parts[1]])
      // Where the way out of this chain leads is not followed from within a map.
      let isLost = leaves && outcome.contains(.onward)
      seen.formUnion(isLost ? [.accepted, .dropped, .onward] : outcome)
      if answer == .yes { return seen }
    }
    return seen.union(.onward)
  }
}
