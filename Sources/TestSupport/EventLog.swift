// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

private import Synchronization

/// What a test waited for did not happen in time.
public struct NotInTime: Error, CustomStringConvertible {
  /// What there was instead.
  public let description: String

  /// Takes the text.
  public init(description: String) { self.description = description }
}

/// What happened, in order, for tests that wait for it.
public final class EventLog<Event: Sendable>: Sendable {
  private struct Waiter {
    var isMet: @Sendable ([Event]) -> Bool
    var continuation: CheckedContinuation<Bool, Never>
  }

  private struct State {
    var events: [Event] = []
    var waiters: [Int: Waiter] = [:]
    var nextWaiter = 0
  }

  private let state = Mutex(State())

  /// Starts empty.
  public init() {}

  /// All events so far.
  public var events: [Event] { state.withLock(\.events) }

  /// Adds one and wakes whoever waited for it.
  public func record(_ event: Event) {
    let woken = state.withLock { state in
      state.events.append(event)
      let met = state.waiters.filter { $0.value.isMet(state.events) }
      for number in met.keys { state.waiters[number] = nil }
      return met.values.map(\.continuation)
    }
    for continuation in woken { continuation.resume(returning: true) }
  }

  /// Returns once `isMet` holds for the events so far; throws `NotInTime` after `limit`.
  public func wait(
    within limit: Duration = .seconds(20), until isMet: @escaping @Sendable ([Event]) -> Bool
  ) async throws {
    let number = state.withLock { state in
      state.nextWaiter += 1
      return state.nextWaiter
    }
    // Owned by this call: cancelled before it returns.
    let timer = Task {
      try await Task.sleep(for: limit)
      self.giveUp(number)
    }
    defer { timer.cancel() }
    let happened = await withCheckedContinuation { continuation in
      let isMetAlready = state.withLock { state in
        if isMet(state.events) { return true }
        state.waiters[number] = Waiter(isMet: isMet, continuation: continuation)
        return false
      }
      if isMetAlready { continuation.resume(returning: true) }
    }
    guard happened else { throw NotInTime(description: "not in time; there was \(events)") }
  }

  private func giveUp(_ number: Int) {
    state.withLock { $0.waiters.removeValue(forKey: number) }?.continuation.resume(returning: false)
  }
}
