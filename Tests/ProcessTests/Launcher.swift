// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import Glibc
import Synchronization
import TestSupport

/// The one thread that starts processes: the kernel ends a process when the thread that started it
/// ends (prctl(2), PR_SET_PDEATHSIG), so that thread lives as long as the tests.
final class Launcher: Sendable {
  static let shared = Launcher()

  private let waiting = Mutex<[@Sendable () -> Void]>([])
  private let bell: Int32

  private init() {
    var ends: [Int32] = [-1, -1]
    precondition(pipe(&ends) == 0, "no pipe for the tests")
    bell = ends[1]
    let listener = ends[0]
    BackgroundThread.start { [self] in
      var byte: UInt8 = 0
      while read(listener, &byte, 1) == 1 {
        waiting.withLock { $0.isEmpty ? nil : $0.removeFirst() }?()
      }
    }
  }

  /// Runs `body` on the thread.
  func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
      waiting.withLock { $0.append { continuation.resume(with: Result(catching: body)) } }
      var byte: UInt8 = 0
      _ = write(bell, &byte, 1)
    }
  }
}
