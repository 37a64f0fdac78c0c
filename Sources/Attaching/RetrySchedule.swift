// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// When a kept device that is not attached is tried again; pure.
///
/// Each failure doubles the wait up to a limit; a loss after a long attachment starts anew. A device that is
/// lost again and again soon after it was attached is flapping: it is tried at the limit only.
public struct RetrySchedule: Sendable, Hashable {
  /// The wait after the first failure or loss.
  public static let first = Duration.seconds(1)
  /// The longest wait.
  public static let longest = Duration.seconds(60)
  /// An attachment that lasts this long is a stable one.
  public static let stable = Duration.seconds(60)
  /// So many losses of unstable attachments within `flapWindow` are flapping.
  public static let flapLosses = 5
  /// The time in which they count.
  public static let flapWindow = Duration.seconds(600)
  /// Waits differ by up to this share of themselves, so that many machines do not try at once.
  static let jitter = 0.2

  /// Tries that failed since the last attachment.
  public private(set) var failures = 0
  private var attachedAt: ContinuousClock.Instant?
  /// When unstable attachments were lost, the oldest first.
  private var losses: [ContinuousClock.Instant] = []

  /// Nothing was tried yet.
  public init() {}

  /// The device is attached.
  public mutating func attached(at now: ContinuousClock.Instant) {
    attachedAt = now
    failures = 0
  }

  /// The attachment was lost; the result is how long to wait.
  public mutating func lost(
    at now: ContinuousClock.Instant, using generator: inout some RandomNumberGenerator
  ) -> Duration {
    if let attachedAt, now - attachedAt < RetrySchedule.stable {
      losses.append(now)
      if losses.count > RetrySchedule.flapLosses { losses.removeFirst() }
    } else {
      losses = []
    }
    attachedAt = nil
    return wait(at: now, using: &generator)
  }

  /// A try failed; the result is how long to wait.
  public mutating func failed(
    at now: ContinuousClock.Instant, using generator: inout some RandomNumberGenerator
  ) -> Duration {
    failures += 1
    return wait(at: now, using: &generator)
  }

  /// True while the device comes and goes too often to be tried at once.
  public func isFlapping(at now: ContinuousClock.Instant) -> Bool {
    guard losses.count >= RetrySchedule.flapLosses, let oldest = losses.first else { return false }
    return now - oldest < RetrySchedule.flapWindow
  }

  private func wait(
    at now: ContinuousClock.Instant, using generator: inout some RandomNumberGenerator
  ) -> Duration {
    let doublings = min(max(failures - 1, 0), 16)
    let even = min(RetrySchedule.first * (1 << doublings), RetrySchedule.longest)
    let base = isFlapping(at: now) ? RetrySchedule.longest : even
    let share = Double.random(in: 1 - RetrySchedule.jitter...1, using: &generator)
    return base * share
  }
}
