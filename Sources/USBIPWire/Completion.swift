// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// The answers that a completed URB is due, to be queued in the order of the members.
public struct Completion: Sendable, Hashable {
  /// RET_SUBMIT with its data; `nil` when an unlink won.
  ///
  /// For an isochronous transfer the session fills in packets and error count.
  public var submit: SubmitReply? = nil
  /// RET_UNLINK of the first unlink; `nil` when there was none.
  public var unlink: UnlinkReply? = nil
  /// True when more unlinks wait: call `takeRepeatedUnlink` until it gives `nil`.
  public var hasRepeatedUnlinks = false

  /// Starts without answers.
  public init() {}
}
