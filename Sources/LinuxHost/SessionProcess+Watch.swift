// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

private import CLinux
private import Synchronization

extension SessionProcess {
  /// Waits for a process by its pidfd, which becomes readable at the end.
  final class Watch: Sendable {
    private struct State {
      var end: End?
      var nextNumber: UInt64 = 0
      var waiting: [UInt64: CheckedContinuation<End?, Never>] = [:]
    }

    private let state = Mutex(State())

    init(_ pidfd: SharedDescriptor) throws(HostError) {
      let events = try DescriptorEvents(pidfd, label: "devconfig.session-process")
      // The handler holds this object and the events until the process has ended: it is reaped even
      // when nobody else is interested any more.
      events.setHandlers(onReadable: {
        guard let end = Watch.reap(pidfd) else { return }
        events.cancel()
        self.finish(end)
      })
      events.setReading(true)
    }

    func end() async -> End? {
      let number = state.withLock { state in
        state.nextNumber &+= 1
        return state.nextNumber
      }
      return await withTaskCancellationHandler {
        await withCheckedContinuation { continuation in
          let now = state.withLock { state -> End?? in
            if let end = state.end { return .some(end) }
            if Task.isCancelled { return .some(nil) }
            state.waiting[number] = continuation
            return nil
          }
          if let now { continuation.resume(returning: now) }
        }
      } onCancel: {
        state.withLock { $0.waiting.removeValue(forKey: number) }?.resume(returning: nil)
      }
    }

    private func finish(_ end: End) {
      let waiting = state.withLock { state in
        state.end = end
        defer { state.waiting = [:] }
        return state.waiting
      }
      for continuation in waiting.values { continuation.resume(returning: end) }
    }

    /// `nil` while the process runs.
    private static func reap(_ pidfd: SharedDescriptor) -> End? {
      var code: Int32 = 0
      var status: Int32 = 0
      // SAFETY: two integers, filled only where the result is 1.
      switch unsafe clinux_reap(pidfd.rawValue, &code, &status) {
      case 0: return nil
      // CLD_EXITED is 1; CLD_KILLED and CLD_DUMPED are 2 and 3 (sigaction(2)).
      case 1: return code == 1 ? .exited(status) : .signalled(status)
      // ECHILD: not our child, or SIGCHLD is ignored and the kernel has reaped it.
      default: return .unknown
      }
    }
  }
}
