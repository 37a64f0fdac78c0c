// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import Glibc
internal import Synchronization

/// A thread that makes calls which block, one at a time, for an owner that must not.
///
/// The owner polls `rawValue`: it becomes readable when the call has ended. The thread ends with this
/// value, after the call that it is making.
public struct SideThread: ~Copyable {
  private final class Exchange: Sendable {
    enum State {
      case idle
      case asked(@Sendable () -> Int32)
      case ended(Int32)
      case closed
    }

    let state = Mutex(State.idle)
    let question: EventCounter
    let answer: EventCounter

    init() throws(HostError) {
      question = try EventCounter()
      answer = try EventCounter()
    }

    func serve() {
      while true {
        _ = waitUntilReady(question.rawValue, POLLIN, Deadline(milliseconds: nil))
        question.drain()
        let call: (@Sendable () -> Int32)?
        switch state.withLock({ $0 }) {
        case .asked(let asked): call = asked
        case .closed: return
        case .idle, .ended: call = nil
        }
        guard let call else { continue }
        let result = call()
        let isClosed = state.withLock { state in
          if case .closed = state { return true }
          state = .ended(result)
          return false
        }
        if isClosed { return }
        answer.signal()
      }
    }
  }

  private let exchange: Exchange

  /// Starts the thread; `name` has 15 bytes at most.
  ///
  /// Throws `HostError`: `EMFILE`, or `EAGAIN` where the system has no room for a thread.
  public init(_ name: String) throws(HostError) {
    let exchange = try Exchange()
    try NamedThread.start(name) { exchange.serve() }
    self.exchange = exchange
  }

  deinit {
    exchange.state.withLock { $0 = .closed }
    exchange.question.signal()
  }

  /// The number to poll: readable when the call has ended.
  public var rawValue: Int32 { exchange.answer.rawValue }

  /// Has the thread make `call`; there must be none under way.
  public borrowing func start(_ call: @escaping @Sendable () -> Int32) {
    exchange.state.withLock { state in
      guard case .idle = state else { preconditionFailure("one call at a time") }
      state = .asked(call)
    }
    exchange.question.signal()
  }

  /// What the call returned; `nil` while it is under way or where there is none.
  public borrowing func takeResult() -> Int32? {
    exchange.answer.drain()
    return exchange.state.withLock { state in
      guard case .ended(let result) = state else { return nil }
      state = .idle
      return result
    }
  }

  /// Waits for the end of the call under way; `nil` where there is none.
  public borrowing func waitForResult() -> Int32? {
    while true {
      if let result = takeResult() { return result }
      guard exchange.state.withLock({ if case .asked = $0 { true } else { false } }) else {
        // It ended between the two looks.
        return takeResult()
      }
      _ = waitUntilReady(rawValue, POLLIN, Deadline(milliseconds: nil))
    }
  }
}
