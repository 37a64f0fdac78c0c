// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

private import Dispatch

/// Work that may block in the kernel, on a thread of its own instead of the cooperative pool.
///
/// Writing to vhci_hcd's `attach` or unbinding a driver takes up to seconds, and for ever where a
/// driver hangs; that costs one thread then, and nobody else waits.
public enum BlockingWork {
  /// Runs `work` on a new queue named `label` and returns or throws what it does.
  ///
  /// Cancelling the calling task does not interrupt the work.
  public static func run<Success: Sendable, Failure: Error>(
    _ label: StaticString, _ work: @escaping @Sendable () throws(Failure) -> Success
  ) async throws(Failure) -> Success {
    let queue = DispatchQueue(label: "devconfig.\(label)")
    let result: Result<Success, Failure> = await withCheckedContinuation { continuation in
      queue.async {
        let result: Result<Success, Failure>
        do throws(Failure) {
          result = .success(try work())
        } catch {
          result = .failure(error)
        }
        continuation.resume(returning: result)
      }
    }
    return try result.get()
  }
}
