// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

private import Glibc
public import LinuxHost
private import SystemPackage

/// A thread for what blocks, so that the cooperative pool of the tests does not.
public enum BackgroundThread {
  private final class Body {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
  }

  /// Milliseconds a test waits for anything.
  static let patience: Int32 = 20_000

  /// Runs `body` on a new, detached thread.
  public static func start(_ body: @escaping @Sendable () -> Void) {
    // SAFETY: the new thread takes the reference over.
    let box = Unmanaged.passRetained(Body(body))
    var thread = pthread_t()
    let result = pthread_create(
      &thread, nil,
      { argument in
        guard let argument else { return nil }
        Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run()
        return nil
      }, box.toOpaque())
    precondition(result == 0, "no thread for a test")
    pthread_detach(thread)
  }

  /// Runs `body` on a new thread and waits for its end without holding a thread of the pool.
  public static func run<Result: Sendable>(
    _ body: @escaping @Sendable () throws -> Result
  ) async throws -> Result {
    try await withCheckedThrowingContinuation { continuation in
      start { continuation.resume(with: Swift.Result(catching: body)) }
    }
  }

  /// Waits until `descriptor` is readable; throws `HostError` with `ETIMEDOUT`.
  public static func wait(for descriptor: Int32) throws(HostError) {
    var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    guard poll(&request, 1, patience) > 0 else { throw HostError("wait", "", .timedOut) }
  }
}
