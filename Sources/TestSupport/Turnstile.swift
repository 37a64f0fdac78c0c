// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

private import Synchronization

/// A place where a fake stops until its test lets it go on; open at first.
///
/// Nobody waits for ever: a test that forgets to open it fails instead of hanging.
public final class Turnstile: Sendable {
  private struct State {
    var isClosed = false
    var waiting: [Int: CheckedContinuation<Void, Never>] = [:]
    var next = 0
  }

  private let state = Mutex(State())
  private let limit: Duration

  /// Starts open; `limit` is the longest anybody waits.
  public init(limit: Duration = .seconds(20)) { self.limit = limit }

  /// Everybody who comes now waits.
  public func close() { state.withLock { $0.isClosed = true } }

  /// Lets everybody go on.
  public func open() {
    let waiting = state.withLock { state in
      defer { state.waiting = [:] }
      state.isClosed = false
      return state.waiting.values
    }
    for continuation in waiting { continuation.resume() }
  }

  /// Goes through at once, or waits for `open`.
  public func pass() async {
    let number = state.withLock { state in
      state.next += 1
      return state.next
    }
    // Owned by this call: cancelled before it returns.
    let timer = Task { [limit] in
      try await Task.sleep(for: limit)
      state.withLock { $0.waiting.removeValue(forKey: number) }?.resume()
    }
    defer { timer.cancel() }
    await withCheckedContinuation { continuation in
      let isClosed = state.withLock { state in
        if state.isClosed { state.waiting[number] = continuation }
        return state.isClosed
      }
      if !isClosed { continuation.resume() }
    }
  }
}
