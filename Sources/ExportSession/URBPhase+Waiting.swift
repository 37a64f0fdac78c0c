// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import LinuxHost

/// Waiting: for what, how, and how long.
extension URBPhase where Device: ~Copyable {
  /// Has the set report what is of use now: no command is read while one is on hold.
  mutating func watchConnection() throws(HostError) {
    var wanted: Epoll.Readiness = [.peerClosed]
    if hold == .none { wanted.insert(.input) }
    if replies.count > 0 { wanted.insert(.output) }
    guard wanted != interest else { return }
    try events.change(connection.rawValue, to: wanted, token: URBPhaseInterest.connection)
    interest = wanted
  }

  private func timeout() -> Int32 {
    if case .memory = hold { return limits.memoryRetry }
    guard let stalledSince else { return -1 }
    return ContinuousClock.now.duration(to: stalledSince + limits.writeStall).pollMilliseconds
  }

  /// Has this phase woken for the next look at overdue URBs, whether there are still any then or not.
  mutating func setOverdueTimer() throws(HostError) {
    if overdueTimer == nil {
      let timer = try TimerDescriptor()
      try events.add(timer.rawValue, for: [.input], token: URBPhaseInterest.overdue)
      overdueTimer = consume timer
    }
    overdueTimer?.set(milliseconds: limits.lookInterval)
    isOverdueTimerSet = true
  }

  /// Waits for events; before it sleeps it looks some times, while that is often enough in time.
  ///
  /// Sleeping and being woken costs more than what a short URB takes on the bus. While long ones come
  /// it does not: their time is in copying, and looking takes the processor from that.
  mutating func wait() throws(HostError) -> Int {
    if !isStreaming, replies.count == 0, hold == .none, patience.mayLook() {
      for _ in 0..<limits.looks {
        let count = try events.wait(milliseconds: 0)
        if count > 0 {
          patience.found()
          return count
        }
        Epoll.yield()
      }
      patience.missed()
    }
    return try events.wait(milliseconds: timeout())
  }
}
