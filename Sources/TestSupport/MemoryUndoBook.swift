// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

public import AgentAPI

/// An undo record in memory that can be told to fail like a full disk.
public actor MemoryUndoBook: UndoBook {
  /// The record as it would be found after a crash.
  public private(set) var record: UndoRecord
  /// All it ever held, oldest first.
  public private(set) var history: [UndoRecord] = []
  private var failure: AgentError?

  /// Starts with `record`.
  public init(_ record: UndoRecord = UndoRecord()) { self.record = record }

  /// Fails each change from now on with `error`; `nil` mends it.
  public func fail(with error: AgentError?) { failure = error }

  /// Makes the change, or fails.
  public func change(_ edit: @Sendable (inout UndoRecord) -> Void) async throws(AgentError) {
    if let failure { throw failure }
    edit(&record)
    history.append(record)
  }
}
