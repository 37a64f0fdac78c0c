// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

private import Dispatch
private import Synchronization

/// Calls back on a serial queue of its own while a descriptor is readable or writable.
///
/// The one door to Dispatch's sources: it keeps suspend and resume balanced, and the descriptor open
/// until both sources are done with it. Both directions start switched off.
///
/// A handler must go on until the kernel says EAGAIN, or switch its direction off: on Linux a source
/// reports a hang-up once and never again, whatever is left to read. For the same reason switching
/// on calls the handler once, without waiting for the source.
final class DescriptorEvents: @unchecked Sendable {
  // SAFETY: dispatch sources and queues are thread-safe objects (dispatch_source_create(3)); they
  // are set once here and every change of their state goes through `state`'s lock.
  private let reader: any DispatchSourceRead
  private let writer: any DispatchSourceWrite
  private let queue: DispatchQueue
  private let state: Mutex<State>

  private struct State {
    /// `nil` after `cancel`.
    var descriptor: SharedDescriptor?
    var isReading = false
    var isWriting = false
    var onReadable: (@Sendable () -> Void)?
    var onWritable: (@Sendable () -> Void)?
  }

  /// Takes a share of `descriptor`; `label` names the queue for debuggers.
  init(_ descriptor: SharedDescriptor, label: String) {
    state = Mutex(State(descriptor: descriptor))
    queue = DispatchQueue(label: label)
    reader = DispatchSource.makeReadSource(fileDescriptor: descriptor.rawValue, queue: queue)
    writer = DispatchSource.makeWriteSource(fileDescriptor: descriptor.rawValue, queue: queue)
    // The cancel handlers' share keeps the number from being reused while epoll still has it.
    reader.setCancelHandler { withExtendedLifetime(descriptor) {} }
    writer.setCancelHandler { withExtendedLifetime(descriptor) {} }
    reader.setEventHandler { [weak self] in self?.callReadable() }
    writer.setEventHandler { [weak self] in self?.callWritable() }
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
      guard state.descriptor != nil, state.isReading != wanted else { return }
      state.isReading = wanted
      if wanted {
        reader.resume()
        callReadableSoon()
      } else {
        reader.suspend()
      }
    }
  }

  /// Switches the calls for "writable" on or off.
  func setWriting(_ wanted: Bool) {
    state.withLock { state in
      guard state.descriptor != nil, state.isWriting != wanted else { return }
      state.isWriting = wanted
      if wanted { writer.resume() } else { writer.suspend() }
    }
  }

  /// Calls the handler for "readable" once more when the queue's other work is done.
  func callReadableSoon() {
    queue.async { [weak self] in self?.callReadable() }
  }

  /// Runs `work` on the queue after `milliseconds`.
  func after(milliseconds: Int, _ work: @escaping @Sendable () -> Void) {
    queue.asyncAfter(deadline: .now() + .milliseconds(milliseconds), execute: work)
  }

  /// Ends both directions for good; a call under way still finishes, a second call is harmless.
  ///
  /// The descriptor is closed a moment later, unless somebody else has a share of it.
  func cancel() {
    let released = state.withLock { state -> State? in
      guard state.descriptor != nil else { return nil }
      let previous = state
      state = State()
      reader.cancel()
      writer.cancel()
      // A suspended source never runs its cancel handler, and releasing one is a crash.
      if !previous.isReading { reader.resume() }
      if !previous.isWriting { writer.resume() }
      return previous
    }
    // The closures go away outside the lock: they may hold the last share of something.
    withExtendedLifetime(released) {}
  }

  private func callReadable() {
    state.withLock { $0.isReading ? $0.onReadable : nil }?()
  }

  private func callWritable() {
    state.withLock { $0.isWriting ? $0.onWritable : nil }?()
  }
}
