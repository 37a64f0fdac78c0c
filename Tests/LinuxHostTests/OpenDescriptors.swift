// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import Glibc

/// Looks at the descriptors of this process.
enum OpenDescriptors {
  /// True while the number is open.
  static func contains(_ number: Int32) -> Bool {
    fcntl(number, F_GETFD) >= 0
  }

  /// True where a program that is started does not inherit the number.
  static func isCloseOnExec(_ number: Int32) -> Bool {
    let flags = fcntl(number, F_GETFD)
    return flags >= 0 && flags & FD_CLOEXEC != 0
  }

  /// How many are open; only meaningful where nothing else runs, as in an exit test.
  static func count() -> Int {
    (0..<1024).count { contains(Int32($0)) }
  }

  /// Waits until `condition` holds, for 10 s at most; for what Dispatch does a moment later.
  static func eventually(_ condition: () -> Bool) async -> Bool {
    for _ in 0..<2000 {
      if condition() { return true }
      try? await Task.sleep(for: .milliseconds(5))
    }
    return condition()
  }
}
