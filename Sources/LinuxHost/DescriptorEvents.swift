// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

private import Dispatch
private import Synchronization

/// Calls back on a serial queue of its own while a descriptor is readable or writable.
///
/// Both directions start switched off. A handler that leaves something unread or room unused is
/// called again; so is one that does not see a hang-up or an error through, until it switches its
/// direction off.
final class DescriptorEvents: Sendable {
  private let loop: DescriptorLoop
  private let token: UInt64
  private let queue: DispatchQueue
  private let state: Mutex<State>

  private struct State {
    /// `nil` after `cancel`.
    var descriptor: SharedDescriptor?
    var isReading = false
    var isWriting = false
    var onReadable: (@Sendable () -> Void)?
    var onWritable: (@Sendable () -> Void)?

    var interest: Epoll.Readiness {
      (isReading ? Epoll.Readiness.input : []).union(isWriting ? .output : [])
    }
  }

  /// Takes a share of `descriptor`; `label` names the queue for debuggers.
  ///
  /// Throws `HostError` where the kernel has no room for one more to wait for.
  init(_ descriptor: SharedDescriptor, label: String) throws(HostError) {
    loop = try DescriptorLoop.shared()
    token = loop.makeToken()
    queue = DispatchQueue(label: label)
    state = Mutex(State(descriptor: descriptor))
    try loop.add(self, descriptor.rawValue, token: token)
  }

  deinit {
    cancel()
  }

  /// Lends the descriptor, which stays open meanwhile; `nil` after `cancel`.
  func withDescriptor<Result>(_ body: (Int32) -> Result) -> Result? {
    guard let descriptor = state.withLock({ $0.descriptor }) else { return nil }
    return withExtendedLifetime(descriptor) { body(descriptor.rawValue) }
  }

  /// Sets what to call; the closures may hold this object, `cancel` lets go of them.
  func setHandlers(
    onReadable: @escaping @Sendable () -> Void, onWritable: (@Sendable () -> Void)? = nil
  ) {
    state.withLock { state in
      guard state.descriptor != nil else { return }
      state.onReadable = onReadable
      state.onWritable = onWritable
    }
  }

  /// Switches the calls for "readable" on or off.
  func setReading(_ wanted: Bool) {
    state.withLock { state in
      guard state.isReading != wanted else { return }
      state.isReading = wanted
      if wanted { arm(state) }
    }
  }

  /// Switches the calls for "writable" on or off.
  func setWriting(_ wanted: Bool) {
    state.withLock { state in
      guard state.isWriting != wanted else { return }
      state.isWriting = wanted
      if wanted { arm(state) }
    }
  }

  /// Runs `work` on the queue after `milliseconds`.
  func after(milliseconds: Int, _ work: @escaping @Sendable () -> Void) {
    queue.asyncAfter(deadline: .now() + .milliseconds(milliseconds), execute: work)
  }

  /// Ends both directions for good; a call under way still finishes, a second call is harmless.
  ///
  /// The descriptor is closed unless somebody else has a share of it.
  func cancel() {
    let released = state.withLock { state -> State in
      let previous = state
      state = State()
      if let descriptor = previous.descriptor { loop.remove(descriptor.rawValue, token: token) }
      return previous
    }
    // The closures go away outside the lock: they may hold the last share of something.
    withExtendedLifetime(released) {}
  }

  /// Tells of an event, after which the descriptor is not waited for until the handlers are done.
  func occurred(_ readiness: Epoll.Readiness) {
    queue.async { self.call(readiness) }
  }

  private func call(_ readiness: Epoll.Readiness) {
    let isOver = !readiness.isDisjoint(with: [.failure, .hangUp])
    if isOver || readiness.contains(.input) {
      state.withLock { $0.isReading ? $0.onReadable : nil }?()
    }
    if isOver || readiness.contains(.output) {
      state.withLock { $0.isWriting ? $0.onWritable : nil }?()
    }
    state.withLock { arm($0) }
  }

  /// Waits again, where somebody wants to know; called with the lock held.
  private func arm(_ state: State) {
    guard let descriptor = state.descriptor, !state.interest.isEmpty else { return }
    loop.arm(descriptor.rawValue, for: state.interest, token: token)
  }
}
