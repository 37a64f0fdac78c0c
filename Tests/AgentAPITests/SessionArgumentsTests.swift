// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import Testing

@Suite struct SessionArgumentsTests {
  @Test(arguments: [
    SessionArguments(role: .export, filter: "/run/f"),
    SessionArguments(role: .importDevice, filter: "f", user: .init(user: 997, group: 995)),
    SessionArguments(role: .listDevices, filter: "/run/f", root: "/run/devconfig/empty"),
    SessionArguments(
      role: .export, filter: "/run/f", user: .init(user: .max, group: 0),
      root: "/run/devconfig/empty"),
  ]) func whatIsWrittenIsReadAgain(arguments: SessionArguments) {
    #expect(SessionArguments(parsing: arguments.list) == arguments)
  }

  @Test func theForm() {
    let arguments = SessionArguments(
      role: .export, filter: "/run/f", user: .init(user: 997, group: 995),
      root: "/run/devconfig/empty")
    #expect(
      arguments.list == [
        "export", "/run/f", "--user", "997", "995", "--root", "/run/devconfig/empty",
      ])
  }

  @Test(arguments: [
    [], ["exports", "f"], ["export"], ["export", ""], ["export", "--root", "/a"],
    ["export", "f", "x"], ["export", "f", "--user"], ["export", "f", "--user", "1"],
    ["export", "f", "--user", "1", "-1"], ["export", "f", "--user", "1", "4294967296"],
    ["export", "f", "--user", "1", "1", "--user", "2", "2"], ["export", "f", "--root"],
    ["export", "f", "--root", ""], ["export", "f", "--root", "/a", "--root", "/b"],
    ["f", "export"],
  ]) func anythingElseIsNoCommandLine(words: [String]) {
    #expect(SessionArguments(parsing: words) == nil)
  }
}
