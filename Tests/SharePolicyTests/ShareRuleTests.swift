// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import SharePolicy
import Testing
import USBModel

/// The rules people write, below the built-in ones.
@Suite struct ShareRuleTests {
  let taka = Requester(user: "taka", host: "beta")
  let hanako = Requester(user: "hanako", host: "gamma")

  func printer(_ busID: String = "1-2.3.1") throws -> Device {
    Device(
      busID: try #require(BusID(busID)), busNumber: 1, deviceNumber: 4, speed: .high,
      vendorProduct: VendorProduct(vendor: 0x04B8, product: 0x0005),
      interfaces: [
        Interface(number: 0, classCode: ClassCode(7, 1, 2)),
        Interface(number: 1, classCode: ClassCode(0xFF)),
      ], product: "Label Printer", serial: "L72P010")
  }

  func patterns(_ texts: String...) -> [TextPattern] { texts.compactMap { TextPattern($0) } }

  func condition(_ change: (inout DeviceCondition) -> Void) -> DeviceCondition {
    var condition = DeviceCondition()
    change(&condition)
    return condition
  }

  @Test func theFirstRuleThatMatchesDecides() throws {
    let printers = condition { $0.classes = [7] }
    let policy = SharePolicy(rules: [
      ShareRule(.allow, devices: printers, users: patterns("taka"), origin: "rule 1"),
      ShareRule(.deny, devices: printers, origin: "rule 2"),
      ShareRule(.allow, origin: "rule 3"),
    ])
    #expect(try policy.judge(printer(), uses: [], for: taka) == Judgement(.share, basis: "rule 1"))
    let other = try policy.judge(printer(), uses: [], for: hanako)
    #expect(other.basis == "rule 2")
    #expect(other.denial?.reason == "only taka may have it (rule 2)")
    #expect(other.denial?.isLasting == false)
    // Somebody may have it: it is listed as free.
    #expect(try policy.judge(printer(), uses: []) == Judgement(.share, basis: "rule 1"))
  }

  @Test func whatNoRuleMatchesIsShared() throws {
    let rules = [ShareRule(.deny, devices: condition { $0.classes = [8] }, origin: "rule 1")]
    for requester in [nil, taka] {
      #expect(
        try SharePolicy(rules: rules).judge(printer(), uses: [], for: requester)
          == Judgement(.share, basis: "no rule"))
    }
  }

  @Test func aDenialForSomeLeavesItToTheOthers() throws {
    let policy = SharePolicy(rules: [
      ShareRule(.deny, users: patterns("hana*"), origin: "rule 1")
    ])
    #expect(try policy.judge(printer(), uses: []).verdict == .share)
    #expect(try policy.judge(printer(), uses: [], for: taka).verdict == .share)
    #expect(
      try policy.judge(printer(), uses: [], for: hanako).denial?.reason
        == "a rule of its machine keeps it (rule 1)")
  }

  @Test func aDenialForAllSaysItIsNotShared() throws {
    let policy = SharePolicy(rules: [ShareRule(.deny, origin: "rule 1, line 7")])
    for requester in [nil, taka] {
      #expect(
        try policy.judge(printer(), uses: [], for: requester).denial?.reason
          == "a rule of its machine keeps it (rule 1, line 7)")
    }
  }

  @Test func usersAndHostsOfARuleBothCount() throws {
    let policy = SharePolicy(rules: [
      ShareRule(.allow, users: patterns("TAKA"), hosts: patterns("beta"), origin: "rule 1"),
      ShareRule(.allow, hosts: patterns("delta", "10.9.0.*"), origin: "rule 2"),
      ShareRule(.deny, origin: "rule 3"),
    ])
    func basis(_ user: String, _ host: String) throws -> String {
      try policy.judge(printer(), uses: [], for: Requester(user: user, host: host)).basis
    }
    #expect(try basis("taka", "beta") == "rule 1")
    #expect(try basis("taka", "delta") == "rule 2")
    #expect(try basis("unknown", "10.9.0.7") == "rule 2")
    #expect(try basis("hanako", "beta") == "rule 3")
    #expect(
      try policy.judge(printer(), uses: [], for: hanako).denial?.reason
        == "only TAKA on beta; everybody on delta, 10.9.0.* may have it (rule 3)")
  }

  @Test func noRuleOpensWhatIsBuiltIn() throws {
    let policy = SharePolicy(rules: [ShareRule(.allow, origin: "rule 1")])
    let use = LocalUse.mounted(node: "sdb1", path: "/home")
    let judgement = try policy.judge(printer(), uses: [use], for: taka)
    #expect(judgement == Judgement(.deny(Denial("sdb1 is mounted on /home")), basis: "built in"))
  }

  @Test func everyConditionHasToHold() throws {
    let device = try printer()
    func holds(_ change: (inout DeviceCondition) -> Void) -> Bool {
      condition(change).holds(for: device)
    }
    #expect(holds { _ in })
    #expect(holds { $0.vendors = [1, 0x04B8] } && !holds { $0.vendors = [0x04B9] })
    #expect(holds { $0.products = [5] } && !holds { $0.products = [6] })
    #expect(holds { $0.classes = [0xFF] } && !holds { $0.classes = [8] })
    #expect(holds { $0.serials = patterns("l72*") } && !holds { $0.serials = patterns("L72") })
    #expect(
      holds { $0.names = patterns("label printer") } && !holds { $0.names = patterns("label") })
    #expect(
      holds {
        $0.vendors = [0x04B8]
        $0.classes = [7]
        $0.names = patterns("*printer")
      })
    #expect(
      !holds {
        $0.vendors = [0x04B8]
        $0.classes = [8]
      })
  }

  @Test(arguments: [
    ("1-2", true), ("1-2.3", true), ("1-2.3.1", true), ("1-2.3.1.4", false), ("1-2.3.2", false),
    ("2-2", false), ("1-1", false),
  ])
  func aPortIsItsOwnOrAHubAbove(port: String, holds: Bool) throws {
    let busID = try #require(BusID(port))
    #expect(condition { $0.ports = [busID] }.holds(for: try printer()) == holds)
  }

  @Test func aDeviceWithoutASerialNumberMatchesNoneButTheStar() throws {
    var bare = try printer()
    bare.serial = nil
    #expect(!condition { $0.serials = patterns("?*") }.holds(for: bare))
    #expect(condition { $0.serials = patterns("*") }.holds(for: bare))
  }
}

@Suite struct TextPatternTests {
  @Test(arguments: [
    ("taka", "taka", true), ("taka", "TAKA", true), ("taka", "takas", false),
    ("taka", "tak", false),
    ("t*a", "taka", true), ("t*a", "ta", true), ("t*a", "t", false), ("*", "", true),
    ("*", "anything", true), ("?", "a", true), ("?", "", false), ("??", "a", false),
    ("a*b*c", "aXbYbZc", true), ("a*b*c", "aXcYb", false), ("*.9.0.*", "10.9.0.7", true),
    ("a**b", "ab", true), ("ü?", "ÜX", true), ("", "", false),
  ])
  func patterns(pattern: String, text: String, matches: Bool) {
    #expect(TextPattern(pattern)?.matches(text) ?? false == matches)
  }

  @Test func aHostilePatternTakesNoTime() {
    let pattern = TextPattern(String(repeating: "*a", count: 128))
    #expect(pattern?.matches(String(repeating: "a", count: 2000) + "b") == false)
    #expect(TextPattern(String(repeating: "a", count: 257)) == nil)
  }
}
