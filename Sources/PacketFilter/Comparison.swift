// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// Compares what a rule looks at with what is known of the packet.
struct Comparison {
  /// What a rule looks at.
  private enum Value {
    /// One of these words, which mean the same.
    case words(Set<String>)
    case number(Int)
    case boolean(Bool)
    /// An address of a group.
    case address(String)
    /// The interface, one of these.
    case interface([String])
    /// The flags of TCP: those of the first packet of a connection.
    case flags(Set<String>)
    /// The packet is of another kind: the rule is not for it.
    case absent
    case unknown
  }

  /// Protocols whose fields a TCP or UDP packet does not have.
  private static let others: Set<String> = [
    "icmp", "icmpv6", "igmp", "sctp", "dccp", "udplite", "esp", "ah", "comp", "arp", "gre", "vxlan",
    "geneve",
  ]

  let passage: Passage
  private var packet: Packet { passage.packet }

  init(passage: Passage) { self.passage = passage }

  /// Whether a match holds: `{"op": "==", "left": …, "right": …}`.
  func answer(_ match: JSONValue) -> Answer {
    guard let left = match["left"], let right = match["right"] else { return .maybe }
    let value = value(of: left)
    if case .absent = value { return .no }
    switch match["op"]?.string ?? "in" {
    case "==", "in": return isEqual(value, right)
    case "!=": return isEqual(value, right).opposite
    case "<": return order(value, right) { $0 < $1 }
    case ">": return order(value, right) { $0 > $1 }
    case "<=": return order(value, right) { $0 <= $1 }
    case ">=": return order(value, right) { $0 >= $1 }
    default: return .maybe
    }
  }

  private func value(of left: JSONValue) -> Value {
    guard let (kind, what) = left.single else { return .unknown }
    switch kind {
    case "payload": return payload(what["protocol"]?.string ?? "", what["field"]?.string ?? "")
    case "meta": return meta(what["key"]?.string ?? what.string ?? "")
    case "ct": return conntrack(what["key"]?.string ?? "")
    case "fib":
      switch what["result"]?.string {
      case "type": return .words([packet.group == nil ? "local" : "multicast"])
      // There is a way back to the sender.
      case "oif": return .boolean(true)
      default: return .unknown
      }
    case "&":
      guard let parts = what.array, parts.count == 2 else { return .unknown }
      switch value(of: parts[0]) {
      case .absent: return .absent
      case .flags(let flags): return .flags(flags.intersection(Comparison.flags(parts[1])))
      default: return .unknown
      }
    default: return .unknown
    }
  }

  private func payload(_ name: String, _ field: String) -> Value {
    switch name {
    case "tcp" where packet.transport != .tcp, "udp" where packet.transport != .udp: .absent
    case "ip" where packet.family != .ipv4, "ip6" where packet.family != .ipv6: .absent
    case let name where Comparison.others.contains(name): .absent
    case "tcp" where field == "flags": .flags(["syn"])
    case "tcp", "udp", "th": field == "dport" ? .number(Int(packet.port)) : .unknown
    case "ip" where field == "protocol", "ip6" where field == "nexthdr": transport
    case "ip" where field == "daddr", "ip6" where field == "daddr":
      packet.group.map { .address($0) } ?? .unknown
    default: .unknown
    }
  }

  private func meta(_ key: String) -> Value {
    switch key {
    case "l4proto": transport
    case "nfproto": .words(packet.family == .ipv4 ? ["ipv4", "2"] : ["ipv6", "10"])
    case "protocol": .words(packet.family == .ipv4 ? ["ip"] : ["ip6"])
    case "pkttype": .words(packet.group == nil ? ["host", "unicast"] : ["multicast"])
    case "iifname", "iif": .interface(packet.interfaces)
    default: .unknown
    }
  }

  private func conntrack(_ key: String) -> Value {
    switch key {
    case "state": .words(["new"])
    // Nobody sent it on to this machine.
    case "status": .words(["none"])
    case "direction": .words(["original"])
    default: .unknown
    }
  }

  private var transport: Value {
    .words(packet.transport == .tcp ? ["tcp", "6"] : ["udp", "17"])
  }

  /// `isElement` for what stands in a set, where no name of another set can stand.
  private func isEqual(
    _ value: Value, _ right: JSONValue, isElement: Bool = false
  ) -> Answer {
    if case .unknown = value { return .maybe }
    if case .flags(let flags) = value { return Answer(flags == Comparison.flags(right)) }
    if case .string(let text) = right, isElement || !text.hasPrefix("@") {
      return isEqual(value, text)
    }
    switch right {
    case .number(let number):
      if case .number(let known) = value { return Answer(known == number) }
      return isEqual(value, "\(number)")
    case .boolean(let flag):
      if case .boolean(let known) = value { return Answer(known == flag) }
      return .maybe
    case .object(let members) where members["range"] != nil || members["prefix"] != nil:
      return isWithin(value, right)
    case .object(let members) where members["elem"] != nil:
      return members["elem"]?["val"].map { isEqual(value, $0, isElement: true) } ?? .maybe
    default:
      guard let elements = passage.elements(of: right) else { return .maybe }
      return elements.reduce(.no) { $0.or(isEqual(value, $1, isElement: true)) }
    }
  }

  private func isEqual(_ value: Value, _ text: String) -> Answer {
    switch value {
    case .words(let words): Answer(words.contains(text))
    case .address(let address): Answer(address == text)
    case .interface(let names):
      if names.isEmpty {
        text == "lo" ? .no : .maybe
      } else {
        Comparison.answer(names.map { Comparison.isNamed($0, text) })
      }
    case .number(let number): Answer("\(number)" == text)
    case .boolean, .flags, .absent, .unknown: .maybe
    }
  }

  private func isWithin(_ value: Value, _ right: JSONValue) -> Answer {
    if let bounds = right["range"]?.array, bounds.count == 2 {
      guard case .number(let number) = value, let low = bounds[0].number,
        let high = bounds[1].number
      else { return .maybe }
      return Answer(low <= number && number <= high)
    }
    guard case .address(let address) = value, let prefix = right["prefix"],
      let start = prefix["addr"]?.string, let length = prefix["len"]?.number,
      let own = Comparison.bits(address), let other = Comparison.bits(start),
      (0...32).contains(length)
    else { return .maybe }
    let mask: UInt32 = length == 0 ? 0 : ~0 << (32 - UInt32(length))
    return Answer(own & mask == other & mask)
  }

  private func order(_ value: Value, _ right: JSONValue, _ holds: (Int, Int) -> Bool) -> Answer {
    guard case .number(let number) = value, let other = right.number else { return .maybe }
    return Answer(holds(number, other))
  }

  /// True for the interface's name, and for its beginning and a star.
  private static func isNamed(_ interface: String, _ pattern: String) -> Bool {
    pattern.hasSuffix("*") ? interface.hasPrefix(pattern.dropLast()) : interface == pattern
  }

  private static func answer(_ answers: [Bool]) -> Answer {
    if answers.allSatisfy(\.self) { return .yes }
    return answers.contains(true) ? .maybe : .no
  }

  /// The names in `syn`, `["syn", "ack"]` or `{"|": ["syn", …]}`.
  private static func flags(_ value: JSONValue) -> Set<String> {
    if let name = value.string { return [name] }
    let parts = value.array ?? value["|"]?.array ?? value["set"]?.array ?? []
    return parts.reduce(into: []) { $0.formUnion(flags($1)) }
  }

  /// An address of IPv4 as a number; `nil` for anything else.
  private static func bits(_ address: String) -> UInt32? {
    let parts = address.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    var bits: UInt32 = 0
    for part in parts {
      guard let byte = UInt8(part) else { return nil }
      bits = bits << 8 | UInt32(byte)
    }
    return bits
  }
}
