// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import Testing

@testable import Attaching

@Suite(.timeLimit(.minutes(1))) struct AlarmTests {
  let clock = ContinuousClock()

  @Test func aRingBeforeTheWaitIsNotMissed() async {
    let alarm = Alarm()
    let seen = await alarm.count
    await alarm.ring()
    #expect(await alarm.wait(since: seen, until: clock.now + .seconds(60)))
  }

  @Test func everybodyWhoWaitsIsWoken() async {
    let alarm = Alarm()
    await withTaskGroup(of: Bool.self) { group in
      for _ in 0..<20 {
        group.addTask { await alarm.wait(since: 0, until: ContinuousClock.now + .seconds(60)) }
      }
      group.addTask {
        await alarm.ring()
        return true
      }
      for await rang in group { #expect(rang) }
    }
  }

  @Test func theWaitEndsWithoutARing() async {
    let alarm = Alarm()
    #expect(await alarm.wait(since: 0, until: clock.now + .milliseconds(5)) == false)
    #expect(await alarm.wait(since: 0, until: clock.now - .seconds(1)) == false)
    await alarm.ring()
    #expect(await alarm.wait(since: 1, until: clock.now + .milliseconds(5)) == false)
  }

  @Test func anEndThatIsPastDoesNotWakeTheNext() async {
    let alarm = Alarm()
    _ = await alarm.wait(since: 0, until: clock.now)
    async let next = alarm.wait(since: 0, until: clock.now + .seconds(60))
    await alarm.ring()
    #expect(await next)
  }
}
