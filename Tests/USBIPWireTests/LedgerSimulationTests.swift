// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import Testing

@Suite struct LedgerSimulationTests {
  /// Many short lives rather than a few long ones: a failing seed is then quick to follow.
  @Test(arguments: 0..<20) func keepsTheRulesInAnyOrder(hundred: UInt64) {
    var total = LedgerTally()
    for seed in hundred * 100..<hundred * 100 + 100 {
      var simulation = LedgerSimulation(generator: SeededGenerator(seed: seed))
      simulation.run(steps: 600)
      #expect(simulation.violations == [], "seed \(seed)")
      total.add(simulation.tally)
    }
    // A simulation in which something never happens proves nothing of it.
    let counts = [
      total.submits, total.unlinks, total.unlinkWins, total.completionWins, total.rescuedData,
      total.drops, total.repeats, total.answersNow, total.shutdowns, total.refusals, total.stalls,
      total.duplicates, total.earlyWins, total.earlyRepeats, total.expiries,
    ]
    #expect(counts.allSatisfy { $0 >= 20 }, "\(total)")
  }
}
