// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

private import CLinux
internal import Glibc
internal import SystemPackage

/// A thread for a wait that neither the cooperative pool nor Dispatch can do.
enum NamedThread {
  /// Carries the closure over pthread_create.
  private final class Body {
    let name: String
    let run: @Sendable () -> Void

    init(name: String, run: @escaping @Sendable () -> Void) {
      self.name = name
      self.run = run
    }
  }

  /// Runs `body` on a new, detached thread that blocks all signals; `name` has 15 bytes at most.
  ///
  /// Throws `HostError` with `EAGAIN` where the system has no room for a thread.
  static func start(_ name: String, _ body: @escaping @Sendable () -> Void) throws(HostError) {
    // SAFETY: the reference is taken over by the thread, or released here where there is none.
    let box = unsafe Unmanaged.passRetained(Body(name: name, run: body))
    var thread = pthread_t()
    let result = unsafe pthread_create(
      &thread, nil,
      { argument in
        guard let argument = unsafe argument else { return nil }
        let body = unsafe Unmanaged<Body>.fromOpaque(argument).takeRetainedValue()
        var all = sigset_t()
        unsafe sigfillset(&all)
        unsafe pthread_sigmask(SIG_BLOCK, &all, nil)
        _ = unsafe clinux_name_thread(body.name)
        body.run()
        return nil
      }, box.toOpaque())
    guard result == 0 else {
      unsafe box.release()
      throw HostError("start thread", name, Errno(rawValue: result))
    }
    pthread_detach(thread)
  }
}
