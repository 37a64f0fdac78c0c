// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import Testing

@testable import Systemd

@Suite struct StoredDescriptorsTests {
  private func take(_ variables: [String: String]) -> [String] {
    StoredDescriptors.take(environment: { variables[$0] }, processID: 42).map {
      "\($0.name)=\($0.descriptor)"
    }
  }

  @Test func eachHasItsName() {
    let passed = [
      "LISTEN_PID": "42", "LISTEN_FDS": "3", "LISTEN_FDNAMES": "session-1-1:port-1-1:session-2-1",
    ]
    #expect(take(passed) == ["session-1-1=3", "port-1-1=4", "session-2-1=5"])
  }

  @Test func namesMayBeMissing() {
    #expect(take(["LISTEN_PID": "42", "LISTEN_FDS": "2"]) == ["=3", "=4"])
    #expect(
      take(["LISTEN_PID": "42", "LISTEN_FDS": "2", "LISTEN_FDNAMES": "a"]) == ["a=3", "=4"])
  }

  @Test(arguments: [
    [:], ["LISTEN_FDS": "1"], ["LISTEN_PID": "43", "LISTEN_FDS": "1"],
    ["LISTEN_PID": "42", "LISTEN_FDS": "0"], ["LISTEN_PID": "42", "LISTEN_FDS": "-1"],
    ["LISTEN_PID": "42", "LISTEN_FDS": "99999"], ["LISTEN_PID": "42", "LISTEN_FDS": "x"],
    ["LISTEN_PID": "42"],
  ])
  func nothingIsTakenThatWasNotPassed(variables: [String: String]) {
    #expect(take(variables).isEmpty)
  }
}
