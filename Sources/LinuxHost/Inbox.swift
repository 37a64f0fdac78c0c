// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

private import Synchronization

/// What arrived and waits for its one consumer, bounded so that the producer can stop in time.
///
/// The producer follows a descriptor and cannot wait; the consumer is a task, which must not
/// block. `cost` is in whatever unit `limit` is in: bytes, messages, connections.
final class Inbox<Element: Sendable>: Sendable {
  private struct State {
    var waiting: [(element: Element, cost: Int)] = []
    var head = 0
    var cost = 0
    var isFull = false
    var isFinished = false
    var consumer: CheckedContinuation<Element?, Never>?

    mutating func take() -> Element? {
      guard head < waiting.count else { return nil }
      let first = waiting[head]
      head += 1
      cost -= first.cost
      if head == waiting.count {
        waiting.removeAll()
        head = 0
      } else if head > 64, head > waiting.count / 2 {
        waiting.removeFirst(head)
        head = 0
      }
      return first.element
    }
  }

  private let limit: Int
  private let state = Mutex(State())
  private let setFlowing: @Sendable (Bool) -> Void

  /// `setFlowing` is called with `false` when the limit is reached and with `true` when there is room
  /// again; under the inbox's lock, so that the two cannot overtake each other.
  init(limit: Int, setFlowing: @escaping @Sendable (Bool) -> Void) {
    self.limit = limit
    self.setFlowing = setFlowing
  }

  /// Hands over one element, which is dropped after `finish`; `false` when the inbox is full now.
  func offer(_ element: Element, cost: Int = 1) -> Bool {
    let (consumer, goOn) = state.withLock {
      state -> (CheckedContinuation<Element?, Never>?, Bool) in
      guard !state.isFinished else { return (nil, true) }
      if let consumer = state.consumer {
        state.consumer = nil
        return (consumer, true)
      }
      state.waiting.append((element, cost))
      state.cost += cost
      if !state.isFull, state.cost >= limit {
        state.isFull = true
        setFlowing(false)
      }
      return (nil, !state.isFull)
    }
    consumer?.resume(returning: element)
    return goOn
  }

  /// Nothing more will come; what waits is still delivered.
  func finish() {
    let consumer = state.withLock { state in
      state.isFinished = true
      defer { state.consumer = nil }
      return state.consumer
    }
    consumer?.resume(returning: nil)
  }

  /// Nothing more will come, and what waits is dropped.
  func discard() {
    state.withLock { state in
      state.waiting.removeAll()
      state.head = 0
      state.cost = 0
    }
    finish()
  }

  /// The next element; `nil` at the end and when the calling task is cancelled.
  ///
  /// For one consumer: a second one that waits at the same time ends the wait of the first.
  func next() async -> Element? {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        var replaced: CheckedContinuation<Element?, Never>?
        var now: Element??
        state.withLock { state in
          if let element = state.take() {
            now = .some(element)
            if state.isFull, state.cost < limit {
              state.isFull = false
              if !state.isFinished { setFlowing(true) }
            }
          } else if state.isFinished || Task.isCancelled {
            now = .some(nil)
          } else {
            replaced = state.consumer
            state.consumer = continuation
          }
        }
        replaced?.resume(returning: nil)
        if let now { continuation.resume(returning: now) }
      }
    } onCancel: {
      let consumer = state.withLock { state in
        defer { state.consumer = nil }
        return state.consumer
      }
      consumer?.resume(returning: nil)
    }
  }
}
