// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

private import Dispatch

/// A queue of its own for an actor that writes files, instead of the cooperative pool.
///
/// fsync(2) takes as long as the disk wants; only those who wait for this actor wait for it then.
public final class BlockingExecutor: SerialExecutor {
  private let queue: DispatchQueue

  /// Starts no thread before the first job; `label` names the queue in debuggers.
  public init(_ label: StaticString) {
    queue = DispatchQueue(label: "devconfig.\(label)")
  }

  /// Runs `job` after those that came before it.
  public func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    // SAFETY: the job is run once, by the executor of its actor, which holds on to it until then.
    queue.async { unsafe job.runSynchronously(on: self.asUnownedSerialExecutor()) }
  }
}
