// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// Whether it pays to look for events a while before sleeping, judged by how that went before.
struct Patience {
  private static let most = 16
  /// Of so many waits one looks in any case, to learn when it pays again.
  private static let trial = 64

  private var credit = 0
  private var waits = 0

  /// True where the next wait is to look first.
  mutating func mayLook() -> Bool {
    waits &+= 1
    return credit > 0 || waits % Patience.trial == 0
  }

  /// Looking found an event in time.
  mutating func found() { credit = min(credit + 2, Patience.most) }

  /// Looking was in vain.
  mutating func missed() { credit = max(credit - 1, 0) }
}
