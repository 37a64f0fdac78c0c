// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

public import AgentAPI
public import Attaching

/// What is attached, in memory, as an agent that starts later would find it.
public actor MemoryAttachmentBook: AttachmentBook {
  /// By port.
  public private(set) var record: [Int: AttachedDevice]

  /// Starts with `record`.
  public init(_ record: [Int: AttachedDevice] = [:]) { self.record = record }

  /// Makes the change.
  public func change(
    _ edit: @Sendable (inout [Int: AttachedDevice]) -> Void
  ) async throws(AgentError) { edit(&record) }
}
