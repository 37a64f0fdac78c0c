// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import Glibc
import LinuxHost
import Testing

@Suite struct TimerTests {
  /// True where the time of the timer with this number is over within `milliseconds`.
  private func isOver(_ timer: Int32, within milliseconds: Int32) -> Bool {
    var entry = pollfd(fd: timer, events: Int16(POLLIN), revents: 0)
    return poll(&entry, 1, milliseconds) == 1
  }

  @Test func `a timer is silent until it is set, and after it was cleared`() throws {
    let timer = try TimerDescriptor()
    timer.clear()
    #expect(!isOver(timer.rawValue, within: 0))
    timer.set(milliseconds: 1)
    #expect(isOver(timer.rawValue, within: 10_000))
    #expect(isOver(timer.rawValue, within: 0), "until somebody took note")
    timer.clear()
    #expect(!isOver(timer.rawValue, within: 0))
    timer.set(milliseconds: 0)
    #expect(isOver(timer.rawValue, within: 10_000), "no time is the shortest one")
  }

  @Test func `a timer that is set anew takes the whole time`() throws {
    let timer = try TimerDescriptor()
    timer.set(milliseconds: 1)
    #expect(isOver(timer.rawValue, within: 10_000))
    timer.set(milliseconds: 600_000)
    #expect(!isOver(timer.rawValue, within: 0))
  }
}
