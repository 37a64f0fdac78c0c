// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import LinuxHost
import Testing

@testable import DevconfigCommands

/// What `devconfig doctor` says of the packet filter.
@Suite struct ReachabilityTests {
  func findings(
    _ rules: HostSurvey.PacketRules, _ firewall: HostSurvey.Firewall? = nil,
    port: UInt16 = 3240, hasOlderRules: Bool = false
  ) -> [Finding] {
    var survey = HostSurvey()
    survey.packetRules = rules
    survey.firewall = firewall
    survey.hasOlderRules = hasOlderRules
    survey.interfaces = ["eth0"]
    return Reachability(survey: survey, port: port).findings
  }

  /// A chain at the input that drops everything but TCP to `port`, in a table of `family`.
  func ruleset(
    _ family: String, _ table: String, _ chain: String, port: Int = 22, limited: Bool = false
  ) -> HostSurvey.PacketRules {
    let limit = limited ? #"{"limit": {"rate": 5}}, "# : ""
    return .listed(
      Array(
        """
        {"nftables": [{"chain": {"family": "\(family)", "table": "\(table)", "name": "\(chain)", \
        "type": "filter", "hook": "input", "prio": 0, "policy": "drop"}}, \
        {"rule": {"family": "\(family)", "table": "\(table)", "chain": "\(chain)", "expr": [\(limit)\
        {"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, \
        "right": \(port)}}, {"accept": null}]}}]}
        """.utf8))
  }

  @Test func aChainThatBlocksIsNamedWithTheCommandOfWhoMadeIt() {
    #expect(
      findings(ruleset("inet", "filter", "input")) == [
        Finding(
          .trouble, "firewall", "the chain input of inet filter keeps others from TCP port 3240",
          mend: "nft insert rule inet filter input tcp dport 3240 accept"),
        Finding(
          .trouble, "firewall",
          "the chain input of inet filter keeps others from UDP port 5353 (mDNS)",
          mend: "nft insert rule inet filter input udp dport 5353 accept"),
      ])
    #expect(
      findings(ruleset("inet", "firewalld", "filter_INPUT"), .firewalld).map(\.mend) == [
        "firewall-cmd --permanent --add-port=3240/tcp && firewall-cmd --reload",
        "firewall-cmd --permanent --add-port=5353/udp && firewall-cmd --reload",
      ])
    #expect(
      findings(ruleset("ip", "filter", "INPUT"), .ufw(opensPort: false)).map(\.mend) == [
        "ufw allow 3240/tcp", "ufw allow 5353/udp",
      ])
  }

  /// Of two versions of IP one is a way; so it is no trouble.
  @Test func oneVersionOfIPAloneIsNamed() {
    let found = findings(ruleset("ip6", "filter", "INPUT"))
    #expect(found.map(\.rank) == [.notice, .notice])
    #expect(
      found.first?.text
        == "the chain INPUT of ip6 filter keeps others from TCP port 3240 over IPv6")
    #expect(
      found.map(\.mend) == [
        "ip6tables -I INPUT -p tcp --dport 3240 -j ACCEPT",
        "ip6tables -I INPUT -p udp --dport 5353 -j ACCEPT",
      ])
    #expect(
      findings(ruleset("ip", "filter", "INPUT")).first?.mend
        == "iptables -I INPUT -p tcp --dport 3240 -j ACCEPT")
  }

  @Test func anOpenPortIsNoFinding() {
    let found = findings(ruleset("inet", "f", "in", port: 4000), port: 4000)
    #expect(found.map(\.text) == ["the chain in of inet f keeps others from UDP port 5353 (mDNS)"])
    #expect(
      findings(.listed(Array(#"{"nftables": []}"#.utf8))) == [
        Finding(.good, "firewall", "it lets others reach TCP port 3240 and UDP port 5353")
      ])
  }

  @Test func whatDependsOnMoreIsSaidToDependOnMore() {
    let found = findings(ruleset("inet", "f", "in", port: 3240, limited: true))
    #expect(found.map(\.rank) == [.notice, .trouble])
    #expect(
      found.first?.text
        == "whether the chain in of inet f lets others reach TCP port 3240 depends on more than the port"
    )
    #expect(found.first?.mend == "nft insert rule inet f in tcp dport 3240 accept")
  }

  @Test func whatCannotBeSeenIsSaid() {
    #expect(findings(.none).isEmpty)
    #expect(
      findings(.hidden) == [
        Finding(
          .notice, "firewall",
          "only root can see whether it keeps others from TCP port 3240 and UDP port 5353",
          mend: "as root: devconfig doctor")
      ])
    #expect(findings(.untold).map(\.mend) == ["apt install nftables"])
    #expect(findings(.failed).map(\.mend) == ["nft list ruleset shows why"])
    #expect(findings(.listed([])).map(\.mend) == ["nft list ruleset shows its rules"])
    #expect(
      findings(.none, hasOlderRules: true).map(\.mend) == ["iptables-legacy -S INPUT shows them"])
  }

  @Test(arguments: [
    (HostSurvey.Firewall.firewalld, Finding.Rank.notice), (.ufw(opensPort: nil), .notice),
    (.ufw(opensPort: false), .trouble), (.ufw(opensPort: true), .good),
  ])
  func withoutTheRulesTheFrontEndsFilesSpeak(
    firewall: HostSurvey.Firewall, rank: Finding.Rank
  ) throws {
    for rules in [HostSurvey.PacketRules.hidden, .none] {
      let found = findings(rules, firewall)
      #expect(found.map(\.rank) == [rank])
      #expect((found.first?.mend != nil) == (rank != .good))
    }
  }
}
