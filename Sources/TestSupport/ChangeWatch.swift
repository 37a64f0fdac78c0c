// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// Follows a stream of change signals, so that a test can wait for a state without asking in a loop.
public final class ChangeWatch: Sendable {
  private let fired = EventLog<Void>()
  private let follower: Task<Void, Never>

  /// Follows `changes` until this watch is gone.
  public init(_ changes: AsyncStream<Void>) {
    // Owned by this object: cancelled by `deinit`.
    follower = Task { [fired] in
      for await _ in changes { fired.record(()) }
    }
  }

  deinit { follower.cancel() }

  /// How often it fired.
  public var count: Int { fired.events.count }

  /// Returns once it has fired more than `count` times; throws `NotInTime` after `limit`.
  public func more(than count: Int, within limit: Duration = .seconds(20)) async throws {
    try await fired.wait(within: limit) { $0.count > count }
  }

  /// Asks `isMet` now and after each change; throws `NotInTime` when `limit` passes without a change.
  public func until(
    within limit: Duration = .seconds(20), _ isMet: () async throws -> Bool
  ) async throws {
    while true {
      let seen = count
      if try await isMet() { return }
      try await more(than: seen, within: limit)
    }
  }
}
