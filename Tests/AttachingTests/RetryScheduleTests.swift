// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import Attaching
import Testing

@Suite struct RetryScheduleTests {
  /// Always the greatest number: no jitter.
  struct Even: RandomNumberGenerator {
    mutating func next() -> UInt64 { .max }
  }

  let start = ContinuousClock.now

  @Test func eachFailureDoublesTheWaitUpToTheLimit() {
    var (schedule, dice) = (RetrySchedule(), Even())
    var waits: [Duration] = []
    for _ in 0..<9 { waits.append(schedule.failed(at: start, using: &dice)) }
    let seconds = waits.map { ($0 / .seconds(1)).rounded() }
    #expect(seconds == [1, 2, 4, 8, 16, 32, 60, 60, 60])
    for _ in 0..<1000 { _ = schedule.failed(at: start, using: &dice) }
    #expect(schedule.failures == 1009)
  }

  @Test func anAttachmentStartsAnew() {
    var (schedule, dice) = (RetrySchedule(), Even())
    for _ in 0..<6 { _ = schedule.failed(at: start, using: &dice) }
    schedule.attached(at: start)
    #expect(schedule.failures == 0)
    let wait = schedule.lost(at: start + .seconds(3600), using: &dice)
    #expect((wait / .seconds(1)).rounded() == 1)
  }

  @Test func whoComesAndGoesIsTriedSeldom() {
    var (schedule, dice) = (RetrySchedule(), Even())
    var now = start
    for round in 1...RetrySchedule.flapLosses {
      #expect(!schedule.isFlapping(at: now), "\(round)")
      schedule.attached(at: now)
      now += .seconds(5)
      let wait = schedule.lost(at: now, using: &dice)
      #expect((wait / .seconds(1)).rounded() == (round < RetrySchedule.flapLosses ? 1 : 60))
      now += wait
    }
    #expect(schedule.isFlapping(at: now))
    // Long enough attached, it is trusted again.
    schedule.attached(at: now)
    let wait = schedule.lost(at: now + RetrySchedule.stable, using: &dice)
    #expect((wait / .seconds(1)).rounded() == 1)
    #expect(!schedule.isFlapping(at: now + RetrySchedule.stable))
  }

  @Test func lossesOfLongAgoDoNotCount() {
    var (schedule, dice) = (RetrySchedule(), Even())
    for round in 0..<RetrySchedule.flapLosses {
      let now = start + RetrySchedule.flapWindow / 2 * round
      schedule.attached(at: now)
      _ = schedule.lost(at: now + .seconds(1), using: &dice)
      #expect(!schedule.isFlapping(at: now + .seconds(1)))
    }
  }

  @Test func waitsDifferByAFifthAtMost() {
    var (schedule, dice) = (RetrySchedule(), SystemRandomNumberGenerator())
    schedule.attached(at: start)
    for _ in 0..<200 {
      let wait = schedule.lost(at: start + .seconds(100), using: &dice)
      #expect(wait >= RetrySchedule.first * 0.79 && wait <= RetrySchedule.first)
    }
  }
}
