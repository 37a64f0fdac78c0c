// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import Synchronization

/// Counts who is inside, in all and by key, and refuses past a limit.
final class Gate: Sendable {
  private let inside = Mutex<[String: Int]>([:])
  private let limit: Int
  private let perKey: Int

  init(limit: Int, perKey: Int) {
    self.limit = limit
    self.perKey = perKey
  }

  /// True where one more of `key` may come in; then `leave` is owed.
  func enter(_ key: String) -> Bool {
    inside.withLock { inside in
      let count = inside[key] ?? 0
      guard count < perKey, inside.values.reduce(0, +) < limit else { return false }
      inside[key] = count + 1
      return true
    }
  }

  /// Counts one of `key` out.
  func leave(_ key: String) {
    inside.withLock { inside in
      let count = (inside[key] ?? 0) - 1
      inside[key] = count > 0 ? count : nil
    }
  }
}
