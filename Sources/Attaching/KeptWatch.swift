// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// Why a kept device is not attached, and when it is tried next.
public struct KeptRetry: Sendable, Hashable {
  /// The next try; in the past while one is under way.
  public var due: ContinuousClock.Instant
  /// Why it is not attached, in words for people.
  public var reason: String
  /// True where it comes and goes too often to be tried at once.
  public var isFlapping: Bool
}

/// What is known of one kept device besides what is written down.
struct KeptWatch: Sendable {
  var schedule = RetrySchedule()
  var following = Following()
  var retry: KeptRetry?
  /// True while the device, or what stands in for it, is attached as far as is known.
  var isAttached = false
  var isTrying = false
  /// What stood in for the device and may be attached still.
  var leftover: String?
}
