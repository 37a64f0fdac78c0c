// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

private import Glibc

/// The clocks of the data path: plain numbers from the vDSO (vdso(7)), no system call on most machines.
public enum HostClock {
  /// Nanoseconds since some moment before this program; never goes back.
  public static var monotonic: UInt64 { read(CLOCK_MONOTONIC) }

  /// Nanoseconds since 1970.
  public static var wall: UInt64 { read(CLOCK_REALTIME) }

  private static func read(_ clock: clockid_t) -> UInt64 {
    var time = timespec()
    // SAFETY: clock_gettime fills the structure; both clocks always exist.
    _ = unsafe clock_gettime(clock, &time)
    return UInt64(max(0, time.tv_sec)) &* 1_000_000_000 &+ UInt64(max(0, time.tv_nsec))
  }
}

extension Duration {
  /// Whole nanoseconds; 0 for a time in the past, the greatest number where it does not fit.
  public var nanoseconds: UInt64 {
    let (seconds, attoseconds) = components
    guard seconds >= 0, attoseconds >= 0, seconds < 1 << 33 else { return seconds < 0 ? 0 : .max }
    return UInt64(seconds) &* 1_000_000_000 &+ UInt64(attoseconds / 1_000_000_000)
  }
}
