// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

private import CUdev
internal import Glibc

/// Starts threads that are seen by name in `ps -L` and take no signals.
enum NamedThread {
  /// Runs `body` on its own detached thread; `name` is at most 15 bytes.
  ///
  /// Throws errno.
  ///
  /// Signals are blocked there, so that they reach the thread that waits for them.
  static func start(
    _ name: String, _ body: @escaping @Sendable () -> Void
  ) throws(HotplugError) {
    let start = Start(name: name, body: body)
    // SAFETY: the new thread takes the reference back; a failed start does so below.
    let argument = unsafe Unmanaged.passRetained(start)
    var all = sigset_t()
    var before = sigset_t()
    unsafe sigfillset(&all)
    unsafe pthread_sigmask(SIG_SETMASK, &all, &before)
    var thread = pthread_t()
    let result = unsafe pthread_create(
      &thread, nil,
      { pointer in
        guard let pointer = unsafe pointer else { return nil }
        let start = unsafe Unmanaged<Start>.fromOpaque(pointer).takeRetainedValue()
        _ = unsafe pthread_setname_np(pthread_self(), start.name)
        start.body()
        return nil
      }, argument.toOpaque())
    unsafe pthread_sigmask(SIG_SETMASK, &before, nil)
    guard result == 0 else {
      unsafe argument.release()
      throw .thread(errno: result)
    }
    pthread_detach(thread)
  }

  private final class Start: Sendable {
    let name: String
    let body: @Sendable () -> Void

    init(name: String, body: @escaping @Sendable () -> Void) {
      self.name = name
      self.body = body
    }
  }
}
