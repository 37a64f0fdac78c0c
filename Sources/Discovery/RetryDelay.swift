// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// The waiting time before the next try: doubles from try to try up to a limit.
struct RetryDelay: Sendable, Hashable {
  private let first: Duration
  private let longest: Duration
  private var upcoming: Duration

  /// Starts at `first` and never exceeds `longest`.
  init(first: Duration, longest: Duration) {
    self.first = first
    self.longest = longest
    upcoming = first
  }

  /// The time to wait now; the next one is longer.
  mutating func next() -> Duration {
    let delay = upcoming
    upcoming = min(upcoming * 2, longest)
    return delay
  }

  /// Begins again after a success.
  mutating func reset() { upcoming = first }
}
