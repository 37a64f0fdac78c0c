// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import Glibc
internal import SystemPackage

/// A point in time to stop waiting at, on the clock that runs on during suspend.
struct Deadline {
  private let end: timespec?

  /// `nil` waits for ever.
  init(milliseconds: Int?) {
    guard let milliseconds else {
      end = nil
      return
    }
    var now = Deadline.now
    now.tv_sec += max(0, milliseconds) / 1000
    now.tv_nsec += max(0, milliseconds) % 1000 * 1_000_000
    end = now
  }

  /// Milliseconds left, at least 0; -1 for ever, as poll(2) takes it.
  var remaining: Int32 {
    guard let end else { return -1 }
    let now = Deadline.now
    let (seconds, nanoseconds) = (end.tv_sec - now.tv_sec, end.tv_nsec - now.tv_nsec)
    return Int32(clamping: max(0, seconds * 1000 + (nanoseconds + 999_999) / 1_000_000))
  }

  private static var now: timespec {
    var time = timespec()
    // SAFETY: clock_gettime fills the structure; this clock always exists.
    _ = unsafe clock_gettime(CLOCK_BOOTTIME, &time)
    return time
  }
}

/// Waits until `descriptor` is ready for `events`, has an error or is hung up; `false` at the end
/// of the time.
func waitUntilReady(_ descriptor: Int32, _ events: Int32, _ deadline: Deadline) -> Bool {
  var entry = pollfd(fd: descriptor, events: Int16(truncatingIfNeeded: events), revents: 0)
  while true {
    // SAFETY: one entry, and the count says so.
    let result = unsafe poll(&entry, 1, deadline.remaining)
    if result > 0 { return true }
    if result == 0 { return false }
    // Only EINTR is left: the entry is valid, and there is memory for one.
  }
}
