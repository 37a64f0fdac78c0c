// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import SharePolicy
import Sharing
import SystemPackage
import TestSupport
import Testing
import USBModel

@testable import Agent

/// `rules:` of the configuration, and what reading it again does.
@Suite struct RulesTests {
  @Test func everyKeyOfARuleCanBeSet() throws {
    let rules = try Configuration(
      yaml: """
        rules:
          - deny:
              vendor: 0951
              product: [1666, "00ff"]
              class: [printer, "e0", HID]
              serial: "0012*"
              port: [1-2, 3-1.4]
              name: "* Blade"
          - allow: {user: [taka, "h?nako"], host: beta}
          - deny: all
        """
    ).rules
    #expect(rules.map(\.effect) == [.deny, .allow, .deny])
    #expect(rules.map(\.origin) == ["rule 1, line 2", "rule 2, line 9", "rule 3, line 10"])
    #expect(rules[0].devices.vendors == [0x0951])
    #expect(rules[0].devices.products == [0x1666, 0x00FF])
    #expect(rules[0].devices.classes == [0x07, 0xE0, 0x03])
    #expect(rules[0].devices.serials.map(\.description) == ["0012*"])
    #expect(rules[0].devices.ports == [BusID("1-2"), BusID("3-1.4")])
    #expect(rules[0].devices.names.map(\.description) == ["* Blade"])
    #expect(rules[1].users.map(\.description) == ["taka", "h?nako"])
    #expect(rules[1].hosts.map(\.description) == ["beta"])
    #expect(rules[2].isForEverybody && rules[2].devices == DeviceCondition())
  }

  @Test(arguments: ["rules:\n", "rules: []\n", "rules: ~\n"])
  func noRulesAreNone(yaml: String) throws {
    #expect(try Configuration(yaml: yaml).rules.isEmpty)
  }

  @Test(arguments: [
    ("rules: deny", 1, "a list"), ("rules:\n  - deny\n", 2, "allow: or deny:"),
    ("rules:\n  - {deny: all, allow: all}\n", 2, "allow: or deny:"),
    ("rules:\n  - Deny: all\n", 2, "allow: or deny:"),
    ("rules:\n  - deny: most\n", 2, "all is needed, or some of vendor"),
    ("rules:\n  - deny: {}\n", 2, "all is needed"), ("rules:\n  - deny:\n", 2, "all is needed"),
    ("rules:\n  - deny:\n      colour: red\n", 3, "allowed are vendor, product, class"),
    ("rules:\n  - deny: {vendor: 951}\n", 2, "vendor: four hexadecimal digits"),
    ("rules:\n  - deny: {vendor: 0x951}\n", 2, "vendor: four hexadecimal digits"),
    ("rules:\n  - deny: {product: [1666, x]}\n", 2, "product: four hexadecimal digits"),
    ("rules:\n  - deny: {product: []}\n", 2, "product: 1 to 100 values"),
    ("rules:\n  - deny: {class: camera}\n", 2, "or one of application, audio"),
    ("rules:\n  - deny: {class: 7}\n", 2, "class: two hexadecimal digits"),
    ("rules:\n  - deny: {port: usb1}\n", 2, "a bus ID such as 1-2"),
    ("rules:\n  - deny: {serial: \"\"}\n", 2, "a text of 1 to 256 bytes"),
    ("rules:\n  - allow: {user: {a: b}}\n", 2, "a text of 1 to 256 bytes"),
  ])
  func aMistakeNamesItsLineAndWhatIsAllowed(yaml: String, line: Int, allowed: String) throws {
    let mistake = try #require(throws: Configuration.Mistake.self) {
      _ = try Configuration(yaml: yaml)
    }
    #expect(mistake.message.contains(allowed))
    #expect(mistake.line == line)
  }

  @Test func readingAgainTakesEffectAtOnceAndAMistakeChangesNothing() async throws {
    let bench = try AgentBench()
    try bench.tree.add(DeviceSamples.disk())
    await bench.inventory.update(DeviceSamples.disk())
    func shown() async -> [String] {
      await bench.catalogue.list().map { "\($0.remoteState.rawValue), \($0.rule ?? "-")" }
    }
    #expect(await shown() == ["AVAIL, no rule"])
    try bench.tree.write("rules:\n  - deny: {class: storage}\n", to: "devconfig.yaml")
    await bench.policy.reload()
    #expect(await shown() == ["DENIED, rule 1, line 2"])
    #expect(await bench.policy.mistake == nil)

    try bench.tree.write("rules:\n  - allow: {class: camera}\n", to: "devconfig.yaml")
    await bench.policy.reload()
    #expect(await shown() == ["DENIED, rule 1, line 2"])
    let status = try await bench.reply(#"{"method":"org.devconfig.Agent.Status","parameters":{}}"#)
    #expect(status.contains("devconfig.yaml: line 2: class: two hexadecimal digits"))

    bench.tree.remove("devconfig.yaml")
    await bench.policy.reload()
    #expect(await shown() == ["AVAIL, no rule"])
    #expect(await bench.policy.mistake == nil)
  }
}
