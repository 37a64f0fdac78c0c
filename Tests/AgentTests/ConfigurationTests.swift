// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import SharePolicy
import Testing

@testable import Agent

@Suite struct ConfigurationTests {
  typealias Peer = Configuration.Peer

  @Test(arguments: ["", "\n\n", "# port: 1\n", "---\n", "null\n", "~", "{}", "---\n...\n"])
  func nothingMeansAllDefaults(yaml: String) throws {
    let configuration = try Configuration(yaml: yaml)
    #expect(configuration == Configuration())
    #expect(configuration.port == 3240)
    #expect(configuration.peers.isEmpty)
  }

  @Test func everythingCanBeSet() throws {
    let configuration = try Configuration(
      yaml: """
        # The office
        port: 3241
        peers:
          - printserver
          - 10.9.0.7:3250
          - "[fd00::7]:3251"
          - fd00::8
        """)
    #expect(configuration.port == 3241)
    #expect(
      configuration.peers == [
        Peer(host: "printserver", port: 3240), Peer(host: "10.9.0.7", port: 3250),
        Peer(host: "fd00::7", port: 3251), Peer(host: "fd00::8", port: 3240),
      ])
  }

  @Test(arguments: ["peers:\n", "peers: []\n", "peers: ~\n"])
  func noPeersAreNone(yaml: String) throws {
    #expect(try Configuration(yaml: yaml).peers.isEmpty)
  }

  @Test(arguments: [
    ("port: 0", 1, "1 to 65535"), ("port: 65536", 1, "1 to 65535"), ("port: -1", 1, "1 to 65535"),
    ("port: many", 1, "1 to 65535"), ("port: 99999999999999999999", 1, "1 to 65535"),
    ("port: 1e400", 1, "1 to 65535"), ("port: .nan", 1, "1 to 65535"), ("port: .inf", 1, "1 to"),
    ("port:\n", 1, "1 to 65535"), ("port: [1]", 1, "1 to 65535"),
    ("\n\nport: 1\npear: x\n", 4, "port, peers and rules"), ("1: 2", 1, "port, peers and rules"),
    ("? [a]\n: b", 1, "port, peers and rules"), ("Port: 1", 1, "port, peers and rules"),
    ("peers: alpha", 1, "a list"), ("peers: {a: b}", 1, "a list"),
    ("peers:\n  - alpha\n  - be ta\n", 3, "host name"), ("peers:\n  - \n", 2, "host name"),
    ("peers:\n  - alpha:0", 2, "host name"), ("peers:\n  - [a]", 2, "host name"),
    ("peers:\n  - alpha\n  - beta:70000\n", 3, "host name"),
    ("- port", 1, "port, peers, rules"), ("just text", 1, "port, peers, rules"),
    ("7", 1, "port, peers, rules"),
    ("port: 1\n\tpeers: x", 2, "YAML"), ("port: [1\n", 2, "YAML"), ("port: \"1\n", 2, "YAML"),
    ("peers: *nobody", 1, "YAML"), ("port: 1\nport: 2\n", 1, "twice"), ("a: b: c", 1, "YAML"),
  ])
  func aMistakeNamesItsLineAndWhatIsAllowed(yaml: String, line: Int, allowed: String) throws {
    let mistake = try #require(throws: Configuration.Mistake.self) {
      _ = try Configuration(yaml: yaml)
    }
    #expect(mistake.message.contains(allowed))
    #expect(mistake.line == line)
    #expect(mistake.description == "line \(line): \(mistake.message)")
  }

  @Test(arguments: ["\u{0}", "port: 1\u{7}", "\u{FFFE}"])
  func whatCannotBeReadIsAMistakeWithoutALine(yaml: String) throws {
    let mistake = try #require(throws: Configuration.Mistake.self) {
      _ = try Configuration(yaml: yaml)
    }
    #expect(!mistake.description.isEmpty)
  }

  @Test func thePeersAreBounded() throws {
    func yaml(_ count: Int) -> String {
      "peers:\n" + (0..<count).map { "  - host\($0)\n" }.joined()
    }
    #expect(try Configuration(yaml: yaml(64)).peers.count == 64)
    #expect(throws: Configuration.Mistake.self) { try Configuration(yaml: yaml(65)) }
  }

  @Test func deepNestingIsAMistakeNotACrash() {
    let yaml = "peers: " + String(repeating: "[", count: 100_000)
    #expect(throws: Configuration.Mistake.self) { try Configuration(yaml: yaml) }
  }

  /// Each list is twice the one before: two to the 39th in the end, which the parser looks at as a key.
  @Test func aliasesOfAliasesAreAMistakeNotAHang() {
    let lists = (1..<40).map { "a\($0): &a\($0) [*a\($0 - 1), *a\($0 - 1)]\n" }.joined()
    for yaml in [
      "a0: &a0 [x, x]\n\(lists)? *a39\n: 1\n",
      "rules: [\(String(repeating: "*a,", count: 33))]",
      #"{"a":*a,"b":*a}"# + String(repeating: "\u{2028}*a", count: 31),
    ] {
      let error = #expect(throws: Configuration.Mistake.self) { try Configuration(yaml: yaml) }
      #expect(error?.message == "more than 32 aliases (*NAME) are there")
    }
    let error = #expect(throws: Configuration.Mistake.self) {
      try Configuration(yaml: "a0: &a0 [x, x]\n\(lists)")
    }
    #expect(error?.line == 18)
  }

  @Test func aFewAliasesAndPatternsAreFine() throws {
    let patterns = (0..<40).map { #""a*b\#($0)""# }.joined(separator: ", ")
    let yaml = """
      rules:
        - allow: {name: &ours [\(patterns)], user: "*a"}
        - deny: {name: *ours}
      """
    let rules = try Configuration(yaml: yaml).rules
    #expect(rules.count == 2)
    #expect(rules.last?.devices.names == rules.first?.devices.names)
  }

  @Test(
    arguments: [
      ("alpha", "alpha", 3240), ("alpha.example.org:1", "alpha.example.org", 1),
      ("10.9.0.1", "10.9.0.1", 3240), ("10.9.0.1:65535", "10.9.0.1", 65535),
      ("::1", "::1", 3240), ("fe80::1%eth0", "fe80::1%eth0", 3240), ("[::1]", "::1", 3240),
      ("[fe80::1%eth0]:3241", "fe80::1%eth0", 3241),
    ] as [(String, String, UInt16)])
  func aPeerIsAHostWithOrWithoutAPort(text: String, host: String, port: UInt16) {
    #expect(Peer(text) == Peer(host: host, port: port))
  }

  @Test(arguments: [
    "", ":", ":3240", "alpha:", "alpha:x", "alpha:0", "alpha:65536", "alpha:-1", "alpha:+80",
    "[::1", "[::1]x", "[::1]:", "[::1]:0", "[]", "[]:1", "al pha", "älpha", "a\u{0}b", "a\nb",
    String(repeating: "a", count: 256),
  ])
  func anythingElseIsNoPeer(text: String) {
    #expect(Peer(text) == nil)
  }
}
