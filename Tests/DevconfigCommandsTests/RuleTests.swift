// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import SystemPackage
import TestSupport
import Testing

@testable import DevconfigCommands

/// How `share` and `unshare` change the file that people write.
@Suite struct RuleTests {
  let stick = DeviceSamples.mountedStatus

  /// The file after some rules were put into it, one after the other.
  func edited(_ text: String, _ rules: DeviceRule...) throws -> String {
    var file = RuleFile(text)
    for rule in rules { try file.put(rule) }
    return file.text
  }

  @Test func aRuleNamesTheDeviceAndTheCompany() {
    #expect(
      DeviceRule(keeping: stick).texts
        == [#"deny: {vendor: "0781", product: "5567", serial: "4C530001"}"#])
    #expect(
      DeviceRule(sharing: stick, users: ["taka", #"a"b\c"#], hosts: ["gamma"]).texts
        == [
          #"allow: {vendor: "0781", product: "5567", serial: "4C530001", "#
            + #"user: ["taka", "a\"b\\c"], host: ["gamma"]}"#,
          #"deny: {vendor: "0781", product: "5567", serial: "4C530001"}"#,
        ])
  }

  @Test(arguments: [nil, "", "AB*", "A?", "A\u{1b}B", "Ü1"])
  func aSerialNumberThatWouldMeanMoreGivesWayToThePlace(serial: String?) {
    var device = stick
    device.serial = serial
    #expect(
      DeviceRule(keeping: device).texts
        == [#"deny: {vendor: "0781", product: "5567", port: "1-1.2"}"#])
  }

  @Test(arguments: [
    ("", "rules:\n  - RULE\n"),
    ("port: 3240\n", "port: 3240\nrules:\n  - RULE\n"),
    ("port: 3240", "port: 3240\nrules:\n  - RULE\n"),
    ("rules: []  # none\nport: 1\n", "rules:\n  - RULE\nport: 1\n"),
    ("rules: ~\n", "rules:\n  - RULE\n"),
    ("rules:\n", "rules:\n  - RULE\n"),
    ("rules:\nport: 1\n", "rules:\n  - RULE\nport: 1\n"),
    ("rules:\n- deny: all\n", "rules:\n- RULE\n- deny: all\n"),
    (
      "# ours\nrules:  # read me\n\n    # first\n    - deny: all\nport: 1\n",
      "# ours\nrules:  # read me\n    - RULE\n\n    # first\n    - deny: all\nport: 1\n"
    ),
    ("#rules:\n#  - deny: all\n", "#rules:\n#  - deny: all\nrules:\n  - RULE\n"),
  ])
  func theRuleIsTheFirstAndTheRestStays(before: String, after: String) throws {
    let rule = DeviceRule(keeping: stick)
    #expect(
      try edited(before, rule)
        == after.replacing("RULE", with: "\(rule.texts[0])  # devconfig unshare"))
  }

  @Test(arguments: ["rules: [{deny: all}]\n", "rules: {a: b}\n", "rules: all # x\n"])
  func rulesOfAnotherFormAreLeftToPeople(text: String) {
    let error = #expect(throws: AgentError.self) { try edited(text, DeviceRule(keeping: stick)) }
    #expect(error?.hint == "write the rule by hand: man devconfig.yaml")
  }

  @Test func aLaterRuleReplacesTheEarlierOneOfTheSameDevice() throws {
    var other = stick
    other.serial = "4C530001A"
    let byHand = "rules:\n  - \(DeviceRule(keeping: stick).texts[0])\n"
    let text = try edited(
      byHand, DeviceRule(keeping: stick), DeviceRule(keeping: other),
      DeviceRule(sharing: stick, users: ["taka"], hosts: []),
      DeviceRule(sharing: stick, users: [], hosts: []))
    #expect(
      text == """
        rules:
          - \(DeviceRule(sharing: stick, users: [], hosts: []).texts[0])  # devconfig share
          - \(DeviceRule(keeping: other).texts[0])  # devconfig unshare
          - \(DeviceRule(keeping: stick).texts[0])

        """)
  }

  @Test func theVerbsWriteTheFileAndHaveItFollowed() throws {
    let tree = try SysfsTree()
    let client = FakeAgentClient([DeviceSamples.mouseStatus, stick])
    client.configuration = tree.root.appending("devconfig.yaml").string
    let unshared = try Run(["unshare", "cruzer"], client)
    #expect(unshared.code == .success)
    #expect(unshared.console.data.isEmpty)
    let shared = try Run(["share", "12", "--user", "taka", "--host", "gamma"], client)
    #expect(
      shared.console.talk == ["SanDisk Cruzer Blade is not shared yet: sdb1 is mounted on /home"])
    let rule = DeviceRule(sharing: stick, users: ["taka"], hosts: ["gamma"])
    let lines = rule.texts.map { "  - \($0)  # devconfig share\n" }
    #expect(try tree.read("devconfig.yaml") == "rules:\n" + lines.joined())
    #expect(client.requests.filter { $0 == "reload" }.count == 2)
  }

  /// The stick while somebody else has it.
  private var lent: DeviceStatus {
    var lent = stick
    lent.remoteState = .inUse
    lent.remoteUser = RemoteUser(user: "taka", host: "gamma")
    lent.reason = nil
    return lent
  }

  @Test func whoHasItKeepsItUnlessItIsTakenBack() throws {
    let tree = try SysfsTree()
    let client = FakeAgentClient([lent])
    client.configuration = tree.root.appending("devconfig.yaml").string
    let gentle = try Run(["unshare", "12"], client)
    #expect(gentle.code == .success)
    #expect(
      gentle.console.talk == [
        "taka@gamma has SanDisk Cruzer Blade and keeps it until giving it back",
        "  to take it back: devconfig unshare --now 12",
      ])
    #expect(!client.requests.contains { $0.hasPrefix("takeBack") })
    let now = try Run(["unshare", "--now", "cruzer"], client)
    #expect(now.code == .success)
    #expect(now.console.talk.isEmpty)
    #expect(client.requests.last == "takeBack 12")
    let forced = try Run(["unshare", "--force", "cruzer"], client)
    #expect(forced.console.talk == ["/mnt: everything is written"])
    #expect(client.requests.last == "takeBack 12 --force")
  }

  @Test func whatIsNotTakenBackIsNotSharedAgainAllTheSame() throws {
    let tree = try SysfsTree()
    let client = FakeAgentClient([lent])
    client.configuration = tree.root.appending("devconfig.yaml").string
    client.refusal = AgentError(
      .inUse, "it stays with taka@gamma: /dev/sda is mounted on /mnt", hint: "ask taka@gamma for it"
    )
    let run = try Run(["unshare", "--now", "12"], client)
    #expect(run.code == .inUse)
    #expect(
      run.console.talk == [
        "devconfig: it stays with taka@gamma: /dev/sda is mounted on /mnt; "
          + "nobody else gets it from now on",
        "  ask taka@gamma for it",
      ])
    #expect(try tree.read("devconfig.yaml").hasPrefix("rules:\n  - deny: "))
  }

  @Test func aFileTheAgentCannotReadIsPutBack() throws {
    let tree = try SysfsTree()
    try tree.write("port: 1\nfoo: bar\n", to: "devconfig.yaml")
    let client = FakeAgentClient([stick])
    client.configuration = tree.root.appending("devconfig.yaml").string
    client.mistakes = ["line 2: unknown key foo"]
    let run = try Run(["unshare", "12"], client)
    #expect(run.code == .failure)
    #expect(run.console.talk.first?.hasSuffix("line 2: unknown key foo") == true)
    #expect(try tree.read("devconfig.yaml") == "port: 1\nfoo: bar\n")
    #expect(client.requests.filter { $0 == "reload" }.count == 2)
  }

  @Test func aDeviceOfAnotherMachineIsSharedThere() throws {
    let client = FakeAgentClient([DeviceSamples.mouseStatus])
    let run = try Run(["unshare", "2"], client)
    #expect(run.code == .failure)
    #expect(run.console.talk.first == "devconfig: Logitech M4848 is plugged into another machine")
    #expect(client.requests == ["list"])
  }
}
