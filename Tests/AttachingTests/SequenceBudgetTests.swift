// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import Attaching
import Testing

/// Sequence numbers of vhci_hcd, from what can be seen of URBs.
@Suite struct SequenceBudgetTests {
  static let half = SequenceBudget.Half(controller: 1, isSuperSpeed: false)

  /// One half with these devices by their numbers.
  static func sample(
    _ urbs: [UInt64: UInt64], generation: UInt64 = 7, half: SequenceBudget.Half = half
  ) -> SequenceBudget.Sample {
    SequenceBudget.Sample(half: half, generation: generation, urbs: urbs)
  }

  @Test func eachURBCountsTwiceBecauseItMayBeTakenBack() {
    var budget = SequenceBudget()
    #expect(budget.used(Self.half) == 0)
    budget.take([Self.sample([1: 100, 2: 50])])
    #expect(budget.used(Self.half) == 300)
    budget.take([Self.sample([1: 1000, 2: 50])])
    #expect(budget.used(Self.half) == 2100)
  }

  @Test func aDeviceThatIsGoneStaysCounted() {
    var budget = SequenceBudget()
    budget.take([Self.sample([1: 100_000])])
    budget.take([Self.sample([1: 150_000])])
    budget.take([Self.sample([:])])
    // What it did between the last two looks is taken for what it did unseen.
    #expect(budget.used(Self.half) == 2 * (150_000 + 50_000))
    budget.take([Self.sample([2: 10])])
    budget.take([Self.sample([:])])
    #expect(budget.used(Self.half) == 2 * (200_000 + 10 + 1000))
  }

  @Test func anotherDeviceAtTheSamePlaceIsAnotherOne() {
    var budget = SequenceBudget()
    budget.take([Self.sample([1: 5000])])
    budget.take([Self.sample([1: 5000])])
    budget.take([Self.sample([9: 3])])
    #expect(budget.used(Self.half) == 2 * (5000 + 1000 + 3))
  }

  @Test func aCounterNeverGoesBack() {
    var budget = SequenceBudget()
    budget.take([Self.sample([1: 5000])])
    budget.take([Self.sample([1: 4000])])
    #expect(budget.used(Self.half) == 10_000)
  }

  @Test func aHalfThatIsMadeAnewBeginsAtNothing() {
    var budget = SequenceBudget()
    budget.take([Self.sample([1: 5000])])
    budget.take([Self.sample([2: 1], generation: 8)])
    #expect(budget.used(Self.half) == 2)
    budget.take([])
    #expect(budget.used(Self.half) == 0)
    #expect(budget.halves.isEmpty)
  }

  @Test func halvesHaveCountersOfTheirOwn() {
    let fast = SequenceBudget.Half(controller: 1, isSuperSpeed: true)
    let first = SequenceBudget.Half(controller: 0, isSuperSpeed: true)
    var budget = SequenceBudget()
    budget.take([
      Self.sample([1: 10], half: fast), Self.sample([2: 20]), Self.sample([3: 1], half: first),
    ])
    #expect(budget.halves == [first, Self.half, fast])
    #expect([first, Self.half, fast].map { budget.used($0) } == [2, 40, 20])
    #expect(budget.wornControllers(renewal: 20) == [1])
    #expect(budget.wornControllers(renewal: 2) == [0, 1])
    #expect(budget.wornControllers(renewal: 41).isEmpty)
  }

  @Test(arguments: [
    (UInt64(536_870_911), SequenceBudget.Wear.fresh), (536_870_912, .worn), (805_306_367, .worn),
    (805_306_368, .ending), (UInt64.max, .ending),
  ])
  func wearBeginsAtHalfOfTheNumbers(urbs: UInt64, wear: SequenceBudget.Wear) {
    var budget = SequenceBudget()
    budget.take([Self.sample([1: urbs])])
    #expect(budget.wear(Self.half, renewal: SequenceBudget.defaultRenewal) == wear)
    // The warning comes while a quarter is left.
    #expect(SequenceBudget.defaultRenewal * 3 / 2 == SequenceBudget.limit / 4 * 3)
  }

  @Test func sumsThatDoNotFitAreTheGreatestNumber() {
    var budget = SequenceBudget()
    budget.take([Self.sample([1: .max, 2: .max])])
    budget.take([Self.sample([:])])
    budget.take([Self.sample([3: .max])])
    #expect(budget.used(Self.half) == .max)
  }

  @Test func itIsTheSameWhenItIsReadAgain() throws {
    var budget = SequenceBudget()
    budget.take([
      Self.sample([1: 100, .max: 2]),
      Self.sample([3: 4], half: .init(controller: 2, isSuperSpeed: true)),
    ])
    budget.take([Self.sample([1: 150])])
    let bytes = try Message.encode(budget).dropLast()
    #expect(try Message.decode(SequenceBudget.self, from: bytes) == budget)
  }
}
