// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import Testing
import USBModel

@testable import Discovery

private func record(
  id: String = "0bda:8153/00E04C680001", state: TXTRecord.State = .denied,
  user: String = "taka@beta", agent: String = "5f1d", name: String = "Realtek USB 10/100",
  reason: String? = "eth1 is in use"
) throws(TXTError) -> TXTRecord {
  guard let busID = BusID("3-2.1") else { throw .missing(key: "busid") }
  return try TXTRecord(
    busID: busID, id: id, vendorProduct: VendorProduct(vendor: 0x0BDA, product: 0x8153),
    classCode: ClassCode(0xEF, 0x02, 0x01), state: state, user: user, agent: agent, name: name,
    reason: reason)
}

private func entries(_ texts: String...) -> [[UInt8]] { texts.map { Array($0.utf8) } }

private let ours = [
  "txtvers=1", "busid=3-2.1", "id=0bda:8153/00E04C680001", "vid=0bda", "pid=8153",
  "class=ef0201", "state=DENIED", "user=taka@beta", "agent=5f1d", "name=Realtek USB 10/100",
  "reason=eth1 is in use",
]

/// Our strings, with those of `changes` in place of theirs and without the keys of `without`.
private func changed(_ changes: [String] = [], without: String? = nil) -> [[UInt8]] {
  ours.compactMap { text in
    let key = text.prefix { $0 != "=" } + "="
    if key == without.map({ "\($0)=" }) ?? "" { return nil }
    return Array((changes.first { $0.hasPrefix(key) } ?? text).utf8)
  }
}

@Suite struct TXTRecordTests {
  @Test func writesEveryKeyOnceWithTheVersionFirst() throws {
    let texts = try record().entries.map { String(decoding: $0, as: UTF8.self) }
    #expect(texts == ours)
  }

  @Test func readsWhatItWrites() throws {
    let original = try record()
    #expect(try TXTRecord.decode(entries: original.entries) == original)
    #expect(try TXTRecord.decode(entries: original.entries.reversed()) == original)
  }

  @Test func leavesOutAnAbsentReason() throws {
    let plain = try record(state: .available, user: "NOBODY", reason: nil)
    #expect(!plain.entries.contains { $0.starts(with: Array("reason=".utf8)) })
    #expect(try TXTRecord.decode(entries: plain.entries) == plain)
  }

  @Test func ignoresUnknownKeysFlagsAndRepeats() throws {
    let strange = entries("=nothing", "", "flag", "colour=red", "BUSID=3-2.1")
    let repeats = entries("state=AVAIL", "busid=9-9")
    let decoded = try TXTRecord.decode(
      entries: strange + changed(["busid=3-2.1"]) + repeats)
    #expect(try decoded == record())
  }

  @Test func takesARecordWithoutOurKeysForForeign() throws {
    #expect(try TXTRecord.decode(entries: []) == nil)
    #expect(try TXTRecord.decode(entries: [[]]) == nil)
    #expect(try TXTRecord.decode(entries: entries("txtvers=1", "ver=2", "name=x")) == nil)
  }

  @Test(arguments: ["txtvers", "busid", "id", "vid", "pid", "class", "state", "user", "agent"])
  func namesAMissingKey(key: String) {
    #expect(throws: TXTError.missing(key: key)) {
      try TXTRecord.decode(entries: changed(without: key))
    }
  }

  @Test(arguments: [
    ("busid", "3-"), ("busid", "usb3"), ("busid", ""), ("vid", "bda"), ("vid", "+bda"),
    ("pid", "81530"), ("class", "ef02"), ("class", "ef020g"), ("class", "-f0201"),
    ("state", "avail"), ("state", ""), ("id", ""), ("agent", ""),
  ])
  func namesAMalformedValue(key: String, value: String) {
    #expect(throws: TXTError.malformed(key: key, value: value)) {
      try TXTRecord.decode(entries: changed(["\(key)=\(value)"]))
    }
  }

  @Test(arguments: ["2", "0", "", "1.0", "one"])
  func refusesAnotherVersion(version: String) {
    #expect(throws: TXTError.unsupportedVersion(version)) {
      try TXTRecord.decode(entries: changed(["txtvers=\(version)"]))
    }
  }

  @Test func refusesControlCharactersInIdentifiersOnly() throws {
    #expect(throws: TXTError.malformed(key: "agent", value: "5f1d[2J")) {
      try TXTRecord.decode(entries: changed(["agent=5f1d\u{1b}[2J"]))
    }
    let decoded = try #require(
      try TXTRecord.decode(
        entries: changed([
          "name=\u{202E}Key\u{1b}[2Jboard\n\u{0}", "user=\ta@b\r", "reason= \u{200B} ",
        ])))
    #expect(decoded.name == "Key[2Jboard")
    #expect(decoded.user == "a@b")
    #expect(decoded.reason == nil)
  }

  @Test func fillsInForWhatIsEmpty() throws {
    let bare = try record(user: "\u{7}", name: "", reason: "")
    #expect(bare.user == "NOBODY")
    #expect(bare.name == "USB device 0bda:8153")
    #expect(bare.reason == nil)
    #expect(try TXTRecord.decode(entries: changed(without: "name"))?.name == "USB device 0bda:8153")
  }

  @Test func replacesBytesThatAreNoUTF8() throws {
    let name = Array("name=a".utf8) + [0xFF, 0xC3, 0x28]
    let decoded = try TXTRecord.decode(entries: changed(without: "name") + [name])
    #expect(decoded?.name == "a\u{FFFD}\u{FFFD}(")
  }

  @Test func neverCutsIdentifiers() throws {
    let longest = String(repeating: "x", count: TXTRecord.maximumIDLength)
    #expect(try record(id: longest).id == longest)
    #expect(throws: TXTError.valueTooLong(key: "id", bytes: 253)) { try record(id: longest + "x") }
    #expect(throws: TXTError.valueTooLong(key: "agent", bytes: 129)) {
      try record(agent: String(repeating: "x", count: 129))
    }
  }

  @Test func staysWithinItsLimitsWhenEverythingIsLong() throws {
    let long = String(repeating: "\u{1F50C}", count: 100)
    let busID = try #require(BusID("255-255.255.255.255.255.255.255"))
    let record = try TXTRecord(
      busID: busID, id: String(repeating: "i", count: TXTRecord.maximumIDLength),
      vendorProduct: VendorProduct(vendor: 0xFFFF, product: 0xFFFF), classCode: ClassCode(0xFF),
      state: .denied, user: long, agent: String(repeating: "a", count: 128), name: long,
      reason: long)
    let lengths = record.entries.map(\.count)
    #expect(lengths.allSatisfy { $0 <= 255 })
    #expect(lengths.reduce(0) { $0 + $1 + 1 } <= TXTRecord.maximumLength)
    #expect(record.name.utf8.count == 248)
    #expect(record.reason?.utf8.count == 248)
    #expect(record.user.utf8.count == 128)
    #expect(try TXTRecord.decode(entries: record.entries) == record)
  }

  @Test func cutsFreeTextBetweenScalarsAtEveryLength() throws {
    // One, two, three and four bytes of UTF-8, so that the limit falls on every byte of each.
    let pattern = Array("a\u{E9}\u{20AC}\u{1F50C}")
    for length in 0...300 {
      let text = String((0..<length).map { pattern[$0 % 4] })
      for offset in 0..<4 {
        let shifted = String(repeating: "-", count: offset) + text
        let kept = try record(name: shifted).name
        guard !shifted.isEmpty else { continue }
        #expect(shifted.hasPrefix(kept))
        let isWhole = shifted.utf8.count <= TXTRecord.maximumNameLength
        #expect(isWhole ? kept == shifted : kept.utf8.count > TXTRecord.maximumNameLength - 4)
        #expect(kept.utf8.count <= TXTRecord.maximumNameLength)
      }
    }
  }

  @Test func refusesARecordBeyondTheLimit() {
    let filler = [[UInt8]](repeating: [UInt8](repeating: 0x78, count: 255), count: 5)
    let entries = changed() + filler
    let bytes = entries.reduce(0) { $0 + $1.count + 1 }
    #expect(throws: TXTError.recordTooLong(bytes: bytes)) {
      try TXTRecord.decode(entries: entries)
    }
  }

  @Test func survivesDamageOfEveryByte() throws {
    var decodedCount = 0
    for (index, entry) in changed().enumerated() {
      for position in entry.indices {
        for value: UInt8 in [0x00, 0x0A, 0x20, 0x30, 0x3D, 0x41, 0x66, 0x7F, 0x80, 0xC3, 0xFF] {
          var damaged = changed()
          damaged[index][position] = value
          if try isStable(damaged) { decodedCount += 1 }
        }
        var cut = changed()
        cut[index] = Array(entry[..<position])
        _ = try isStable(cut)
      }
    }
    #expect(decodedCount > 100)
  }

  @Test func survivesRandomBytes() throws {
    var generator = SplitMix(state: 0x5553_4249)
    var kinds = (good: 0, foreign: 0, bad: 0)
    for _ in 0..<4000 {
      var bytes = changed().shuffled(using: &generator)
      for _ in 0..<Int.random(in: 0...3, using: &generator) {
        let index = Int.random(in: bytes.indices, using: &generator)
        bytes[index] = (0..<Int.random(in: 0...255, using: &generator)).map { _ in
          UInt8.random(in: 0...255, using: &generator)
        }
      }
      do throws(TXTError) {
        if let record = try TXTRecord.decode(entries: bytes) {
          kinds.good += 1
          #expect(try TXTRecord.decode(entries: record.entries) == record)
        } else {
          kinds.foreign += 1
        }
      } catch {
        kinds.bad += 1
      }
    }
    #expect(kinds.good > 0 && kinds.bad > 0)
  }

  /// True where the strings are a record; then writing and reading it again changes nothing.
  private func isStable(_ entries: [[UInt8]]) throws -> Bool {
    guard let record = try? TXTRecord.decode(entries: entries) else { return false }
    #expect(try TXTRecord.decode(entries: record.entries) == record)
    return true
  }
}

/// Sebastiano Vigna's splitmix64: the same numbers in every run.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
