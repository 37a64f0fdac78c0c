// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// A bell that several tasks wait for, each with an end of its own; no ring is missed.
///
/// An `AsyncStream` does not serve here: it ends for good when one of its waits is cancelled.
actor Alarm {
  private struct Waiter {
    var continuation: CheckedContinuation<Bool, Never>
    var timer: Task<Void, Never>
  }

  /// How often it rang.
  private(set) var count = 0
  private var waiters: [Int: Waiter] = [:]
  private var nextWaiter = 0

  /// Wakes everybody who waits.
  func ring() {
    count += 1
    for number in Array(waiters.keys) { wake(number, rang: true) }
  }

  /// Returns true once it has rung more than `seen` times, false at `end`.
  func wait(since seen: Int, until end: ContinuousClock.Instant) async -> Bool {
    guard count == seen else { return true }
    let number = nextWaiter
    nextWaiter += 1
    return await withCheckedContinuation { continuation in
      // Owned by the waiter: `wake` cancels it, or it wakes the waiter itself.
      let timer = Task {
        try? await Task.sleep(until: end, clock: .continuous)
        self.wake(number, rang: false)
      }
      waiters[number] = Waiter(continuation: continuation, timer: timer)
    }
  }

  private func wake(_ number: Int, rang: Bool) {
    guard let waiter = waiters.removeValue(forKey: number) else { return }
    waiter.timer.cancel()
    waiter.continuation.resume(returning: rang)
  }
}
