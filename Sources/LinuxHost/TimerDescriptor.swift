// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

private import CLinux
private import Glibc

/// Wakes whoever polls its descriptor, once, after a time (timerfd_create(2)).
///
/// For a thread that waits often and seldom needs to be woken: a timeout for each wait is a timer of
/// the kernel that is started and stopped with each of them.
public struct TimerDescriptor: ~Copyable, Sendable {
  private let descriptor: OwnedDescriptor

  /// Makes a timer that is not set; throws `HostError` with `EMFILE` or `ENOMEM`.
  public init() throws(HostError) {
    let number = timerfd_create(CLOCK_MONOTONIC, Int32(TFD_CLOEXEC) | Int32(TFD_NONBLOCK))
    guard number >= 0 else { throw HostError("create timer", "", .current) }
    descriptor = OwnedDescriptor(adopting: number)
  }

  /// The number to poll: readable from the end of the time until `clear`.
  public var rawValue: Int32 { descriptor.rawValue }

  /// Starts the time anew: `milliseconds`, 1 at least.
  public borrowing func set(milliseconds: Int32) {
    let time = max(Int(milliseconds), 1)
    var value = itimerspec()
    value.it_value.tv_sec = time / 1000
    value.it_value.tv_nsec = time % 1000 * 1_000_000
    // Only a value that is no time is refused.
    _ = unsafe timerfd_settime(descriptor.rawValue, 0, &value, nil)
  }

  /// Takes note of the end of the time; harmless before.
  public borrowing func clear() {
    var count: UInt64 = 0
    _ = unsafe read(descriptor.rawValue, &count, MemoryLayout<UInt64>.size)
  }
}
