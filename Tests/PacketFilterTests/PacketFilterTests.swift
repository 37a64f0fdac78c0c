// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import PacketFilter
import Testing

/// What rules do with the first packet to TCP port 3240, and with a question of mDNS.
@Suite struct PacketFilterTests {
  static let tcp = Packet(.tcp, port: 3240, family: .ipv4, interfaces: ["lan"])
  static let question = Packet.multicastDNS(.ipv4, interfaces: ["lan"])
  static let place = Fate.Place(family: "inet", table: "f", chain: "in")

  /// What becomes of the packet where these are the rules of a chain that drops the rest.
  func fate(of packet: Packet = Self.tcp, _ rules: String...) throws -> Fate {
    var whole = Ruleset()
    whole.base("in", policy: "drop", #"{"jump": {"target": "rules"}}"#)
    for rule in rules { whole.chain("rules", rule) }
    return try whole.filter().fate(of: packet)
  }

  @Test func withoutRulesEverythingPasses() throws {
    #expect(try Ruleset().filter().fate(of: Self.tcp) == .passes)
    var ruleset = Ruleset()
    ruleset.base("in", Ruleset.established)
    ruleset.base("forward", policy: "drop", hook: "forward")
    ruleset.base("nat", policy: "drop", hook: "prerouting", type: "nat")
    #expect(try ruleset.filter().fate(of: Self.tcp) == .passes)
  }

  @Test func aPolicyOfDropBlocksWhatNoRuleAccepts() throws {
    #expect(try fate() == .blocked(Self.place))
    #expect(
      try fate(
        Ruleset.established, "\(Ruleset.match(Ruleset.interface, "\"lo\"")), \(Ruleset.accept)",
        "\(Ruleset.match(Ruleset.tcpPort, "22")), \(Ruleset.accept)") == .blocked(Self.place))
  }

  @Test(arguments: [
    "3240", #"{"set": [22, 3240]}"#, #"{"set": [22, {"range": [3000, 4000]}]}"#,
    #"{"range": [3240, 3240]}"#, #"{"set": [{"elem": {"val": 3240, "comment": "usbip"}}]}"#,
    "\"@ports\"",
  ])
  func aRuleForThePortLetsItPass(right: String) throws {
    var ruleset = Ruleset()
    ruleset.set("ports", #"80, {"range": [3000, 4000]}"#)
    let rule = "\(Ruleset.match(Ruleset.tcpPort, right)), {\"counter\": {\"packets\": 0}}, "
    ruleset.base("in", policy: "drop", rule + Ruleset.accept)
    let filter = try ruleset.filter()
    #expect(filter.fate(of: Self.tcp) == .passes)
    #expect(filter.fate(of: Self.question) == .blocked(Self.place))
    ruleset = Ruleset()
    ruleset.set("ports", #"80, {"range": [3000, 4000]}"#)
    ruleset.base("in", rule + #"{"reject": {"type": "tcp reset"}}"#)
    #expect(try ruleset.filter().fate(of: Self.tcp) == .blocked(Self.place))
  }

  @Test(arguments: [
    ("!=", "22", true), ("!=", "3240", false), (">=", "3240", true), ("<", "3240", false),
    (">", "3239", true), ("<=", "3240", true), ("==", "{\"range\": [1, 1023]}", false),
  ])
  func comparisons(op: String, right: String, passes: Bool) throws {
    let rule = "\(Ruleset.match(Ruleset.tcpPort, right, op: op)), \(Ruleset.accept)"
    #expect(try fate(rule) == (passes ? .passes : .blocked(Self.place)))
  }

  @Test(arguments: [
    Ruleset.match(Ruleset.source, #"{"prefix": {"addr": "10.9.0.0", "len": 16}}"#),
    #"{"limit": {"rate": 5, "per": "second"}}"#, #"{"xt": {"type": "match", "name": "multiport"}}"#,
    #"{"xt": null}"#, #"{"something": {"new": 1}}"#,
  ])
  func whatIsNotKnownIsNotClaimed(statement: String) throws {
    #expect(try fate("\(statement), \(Ruleset.accept)") == .unsure(Self.place))
    #expect(
      try fate("\(statement), \(Ruleset.drop)", Ruleset.accept) == .unsure(Self.place))
    // Where it does not matter it is no doubt.
    #expect(try fate("\(statement), \(Ruleset.accept)", Ruleset.accept) == .passes)
    #expect(try fate("\(statement), \(Ruleset.drop)") == .blocked(Self.place))
  }

  @Test func theInterfaceCounts() throws {
    let rule = "\(Ruleset.match(Ruleset.interface, "\"eth*\"")), \(Ruleset.accept)"
    var packet = Self.tcp
    #expect(try fate(of: packet, rule) == .blocked(Self.place))
    packet.interfaces = ["eth0", "eth1"]
    #expect(try fate(of: packet, rule) == .passes)
    packet.interfaces = ["eth0", "wlan0"]
    #expect(try fate(of: packet, rule) == .unsure(Self.place))
    packet.interfaces = []
    #expect(try fate(of: packet, rule) == .unsure(Self.place))
    let other = Ruleset.match(Ruleset.interface, "\"lo\"", op: "!=")
    #expect(
      try fate(of: packet, "\(other), \(Ruleset.drop)", Ruleset.accept) == .blocked(Self.place))
  }

  @Test func chainsAreFollowedWithTheirReturns() throws {
    var ruleset = Ruleset()
    ruleset.base(
      "in", policy: "drop", #"{"jump": {"target": "a"}}"#,
      "\(Ruleset.match(Ruleset.tcpPort, "3240")), \(Ruleset.accept)")
    ruleset.chain("a", #"{"return": null}"#, Ruleset.drop)
    #expect(try ruleset.filter().fate(of: Self.tcp) == .passes)
    // Out of a chain that was gone to, the way leads past the rules behind.
    ruleset = Ruleset()
    ruleset.base("in", policy: "drop", #"{"goto": {"target": "a"}}"#, Ruleset.accept)
    ruleset.chain("a", #"{"return": null}"#)
    #expect(try ruleset.filter().fate(of: Self.tcp) == .blocked(Self.place))
    ruleset = Ruleset()
    ruleset.base("in", #"{"jump": {"target": "a"}}"#)
    ruleset.chain("a", #"{"goto": {"target": "b"}}"#, Ruleset.accept)
    ruleset.chain("b", Ruleset.drop)
    #expect(try ruleset.filter().fate(of: Self.tcp) == .blocked(Self.place))
  }

  @Test func mapsOfVerdicts() throws {
    let states =
      #"{"vmap": {"key": \#(Ruleset.state), "data": {"set": [["established", {"accept": null}], "#
      + #"["invalid", {"drop": null}]]}}}"#
    let ports = #"{"vmap": {"key": \#(Ruleset.tcpPort), "data": "@m"}}"#
    var ruleset = Ruleset()
    ruleset.set("m", #"[22, {"drop": null}], [3240, {"goto": {"target": "ours"}}]"#, kind: "map")
    ruleset.chain("ours", Ruleset.accept)
    ruleset.base("in", policy: "drop", states, ports)
    let filter = try ruleset.filter()
    #expect(filter.fate(of: Self.tcp) == .passes)
    #expect(filter.fate(of: Self.question) == .blocked(Self.place))
  }

  @Test func everyHookHasToLetItPass() throws {
    var ruleset = Ruleset()
    ruleset.base("in", Ruleset.accept)
    ruleset.base(
      "late", hook: "input", priority: 10,
      "\(Ruleset.match(Ruleset.tcpPort, "3240")), \(Ruleset.drop)")
    ruleset.base(
      "raw", hook: "prerouting", priority: -300, #"{"limit": {"rate": 1}}, {"drop": null}"#)
    let filter = try ruleset.filter()
    #expect(
      filter.fate(of: Self.tcp) == .blocked(Fate.Place(family: "inet", table: "f", chain: "late")))
    #expect(
      filter.fate(of: Self.question)
        == .unsure(Fate.Place(family: "inet", table: "f", chain: "raw")))
  }

  @Test func bothVersionsOfIPHaveTheirRules() throws {
    var ruleset = Ruleset()
    ruleset.family = "ip6"
    ruleset.base("in", policy: "drop")
    let filter = try ruleset.filter()
    #expect(filter.fate(of: Self.tcp) == .passes)
    var packet = Self.tcp
    packet.family = .ipv6
    #expect(filter.fate(of: packet) == .blocked(Fate.Place(family: "ip6", table: "f", chain: "in")))
    let only = "\(Ruleset.match(#"{"meta": {"key": "nfproto"}}"#, "\"ipv6\"")), \(Ruleset.accept)"
    #expect(try fate(only) == .blocked(Self.place))
    #expect(try fate(of: packet, only) == .passes)
  }

  @Test(arguments: [
    (#"{"payload": {"protocol": "ip", "field": "daddr"}}"#, "\"224.0.0.251\""),
    (
      #"{"payload": {"protocol": "ip", "field": "daddr"}}"#,
      #"{"prefix": {"addr": "224.0.0.0", "len": 4}}"#
    ),
    (#"{"payload": {"protocol": "th", "field": "dport"}}"#, "5353"),
    (#"{"meta": {"key": "pkttype"}}"#, "\"multicast\""), (#"{"meta": {"key": "l4proto"}}"#, "17"),
    (#"{"fib": {"result": "type", "flags": ["daddr"]}}"#, #"{"set": ["local", "multicast"]}"#),
  ])
  func multicastIsKnownByItsGroup(left: String, right: String) throws {
    let rule = "\(Ruleset.match(left, right)), \(Ruleset.accept)"
    #expect(try fate(of: Self.question, rule) == .passes)
  }

  @Test func theFlagsOfAFirstPacket() throws {
    let flags =
      #"{"&": [{"payload": {"protocol": "tcp", "field": "flags"}}, {"|": [{"|": ["fin", "syn"]}, "ack"]}]}"#
    let rule = "\(Ruleset.match(flags, "\"syn\"")), \(Ruleset.accept)"
    #expect(try fate(rule) == .passes)
    #expect(
      try fate("\(Ruleset.match(flags, "\"ack\"")), \(Ruleset.accept)") == .blocked(Self.place))
    #expect(try fate(of: Self.question, rule) == .blocked(Self.place))
  }

  @Test func aTableThatSleepsHasNoRules() throws {
    var ruleset = Ruleset()
    ruleset.table(flags: #"["dormant"]"#)
    ruleset.base("in", policy: "drop")
    #expect(try ruleset.filter().fate(of: Self.tcp) == .passes)
  }

  @Test func loopsAndNamesOfNothingEnd() throws {
    var ruleset = Ruleset()
    ruleset.base(
      "in", policy: "drop", #"{"jump": {"target": "a"}}"#, #"{"jump": {"target": "none"}}"#)
    ruleset.chain("a", #"{"jump": {"target": "a"}}"#)
    #expect(try ruleset.filter().fate(of: Self.tcp) == .blocked(Self.place))
    ruleset = Ruleset()
    ruleset.set("s", "\"@s\"")
    ruleset.base(
      "in", policy: "drop", "\(Ruleset.match(Ruleset.tcpPort, "\"@s\"")), \(Ruleset.accept)")
    #expect(try ruleset.filter().fate(of: Self.tcp) == .blocked(Self.place))
    // Deeper than the kernel goes: nothing is claimed.
    ruleset = Ruleset()
    ruleset.base("in", #"{"jump": {"target": "0"}}"#)
    for number in 0..<5000 {
      ruleset.chain("\(number)", #"{"jump": {"target": "\#(number + 1)"}}"#)
    }
    #expect(try ruleset.filter().fate(of: Self.tcp) == .unsure(Self.place))
  }

  @Test(arguments: [
    "", "{}", "{\"nftables\": [1e5, 01x]}", "{\"nftables\": [\"\\u12\"]}", "{\"nftables\": []} 1",
    "[]", "{\"nftables\": 1}", "\0", "{\"nftables\": [", "nft: command not found",
  ])
  func whatIsNoRulesetIsSaid(text: String) {
    #expect(throws: PacketFilterError.malformed) { try PacketFilter(json: Array(text.utf8)) }
  }

  @Test func aRulesetHasALimit() {
    let text = [UInt8](repeating: 0x20, count: PacketFilter.maximumLength + 1)
    #expect(throws: PacketFilterError.tooLong) { try PacketFilter(json: text) }
  }

  /// As Debian 12 prints what these commands make: `iptables -P INPUT DROP`, `-A INPUT -i lo -j ACCEPT`,
  /// `-m conntrack --ctstate RELATED,ESTABLISHED`, `-p tcp --dport 22`, `-d 224.0.0.251 -p udp --dport 5353`.
  @Test func rulesOfIptables() throws {
    var ruleset = Ruleset()
    ruleset.family = "ip"
    let conntrack =
      #"{"xt": {"type": "match", "name": "conntrack"}}, {"counter": {"packets": 18, "bytes": 720}}, "#
    ruleset.base(
      "INPUT", policy: "drop", "\(Ruleset.match(Ruleset.interface, "\"lo\"")), \(Ruleset.accept)",
      "\(Ruleset.match(Ruleset.tcpPort, "22")), \(Ruleset.accept)",
      "\(Ruleset.match(#"{"payload": {"protocol": "ip", "field": "daddr"}}"#, "\"224.0.0.251\"")), "
        + "\(Ruleset.match(#"{"payload": {"protocol": "udp", "field": "dport"}}"#, "5353")), \(Ruleset.accept)",
      #"{"xt": {"type": "match", "name": "comment"}}, {"xt": {"type": "target", "name": "LOG"}}"#)
    var filter = try ruleset.filter()
    let place = Fate.Place(family: "ip", table: "f", chain: "INPUT")
    #expect(filter.fate(of: Self.tcp) == .blocked(place))
    #expect(filter.fate(of: Self.question) == .passes)
    ruleset.chain("more", #"{"xt": {"type": "target", "name": "REJECT"}}"#)
    ruleset.base(
      "early", priority: -10, conntrack + Ruleset.accept, #"{"jump": {"target": "more"}}"#)
    filter = try ruleset.filter()
    #expect(
      filter.fate(of: Self.question)
        == .unsure(Fate.Place(family: "ip", table: "f", chain: "early")))
  }
}
