// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import Testing

@testable import Discovery

@Suite struct RetryDelayTests {
  @Test func doublesUpToTheLongestAndBeginsAgain() {
    var delay = RetryDelay(first: .seconds(4), longest: .seconds(30))
    let waits = (0..<5).map { _ in delay.next() }
    #expect(waits == [.seconds(4), .seconds(8), .seconds(16), .seconds(30), .seconds(30)])
    delay.reset()
    #expect(delay.next() == .seconds(4))
  }
}
