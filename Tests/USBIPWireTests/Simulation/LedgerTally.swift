// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// How often the interesting things happened.
struct LedgerTally {
  var submits = 0
  var unlinks = 0
  var unlinkWins = 0
  var completionWins = 0
  var rescuedData = 0
  var drops = 0
  var repeats = 0
  var earlyWins = 0
  var earlyRepeats = 0
  var expiries = 0
  var answersNow = 0
  var shutdowns = 0
  var refusals = 0
  var stalls = 0
  var duplicates = 0
}

extension LedgerTally {
  mutating func add(_ other: Self) {
    submits += other.submits
    unlinks += other.unlinks
    unlinkWins += other.unlinkWins
    completionWins += other.completionWins
    rescuedData += other.rescuedData
    drops += other.drops
    repeats += other.repeats
    earlyWins += other.earlyWins
    earlyRepeats += other.earlyRepeats
    expiries += other.expiries
    answersNow += other.answersNow
    shutdowns += other.shutdowns
    refusals += other.refusals
    stalls += other.stalls
    duplicates += other.duplicates
  }
}
