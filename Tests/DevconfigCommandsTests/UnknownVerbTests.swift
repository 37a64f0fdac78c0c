// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import ArgumentParser
import Testing

@testable import DevconfigCommands

@Suite struct UnknownVerbTests {
  private let verbs = Devconfig.configuration.subcommands.compactMap {
    $0.configuration.commandName
  }

  @Test(arguments: [
    ("lsit", "list"), ("lst", "list"), ("lists", "list"), ("LIST", "list"), ("pu", "up"),
    ("donw", "down"),
    ("unshar", "unshare"), ("stauts", "status"), ("docter", "doctor"), ("wacth", "watch"),
    ("attach", "up"), ("Detach", "down"), ("bind", "share"), ("ports", "list"),
  ])
  func aSlipIsUnderstood(word: String, verb: String) {
    #expect(UnknownVerb.guess(word, verbs: verbs) == verb)
  }

  @Test(arguments: [
    "", "x", "3", "frobnicate", "Optical", String(repeating: "list", count: 10_000),
  ])
  func whatIsNearNothingIsNotGuessed(word: String) {
    #expect(UnknownVerb.guess(word, verbs: verbs) == nil)
  }

  @Test func everyGuessIsAVerb() {
    for word in UnknownVerb.elsewhere.keys {
      #expect(!verbs.contains(word))
      #expect((verbs + ["--version"]).contains(UnknownVerb.guess(word, verbs: verbs) ?? ""))
    }
  }

  @Test(arguments: [
    [], ["list"], ["up", "attach"], ["--help"], ["-h"], ["--version"], ["help", "up"],
  ])
  func nothingIsSaidOfWhatIsRight(arguments: [String]) {
    #expect(UnknownVerb.complaint(about: arguments, verbs: verbs) == nil)
  }

  @Test func whatIsTypedIsShownHarmlessly() {
    #expect(
      UnknownVerb.complaint(about: ["\u{1B}[2Jlist", "1"], verbs: verbs)
        == "There is no verb '\\u{1B}[2Jlist'.")
    let long = UnknownVerb.complaint(about: [String(repeating: "a", count: 10_000)], verbs: verbs)
    #expect((long?.count ?? 0) < 100)
  }
}
