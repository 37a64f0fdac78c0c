// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// What a session does about an unlink.
public enum UnlinkAction: Sendable, Hashable {
  /// Ask the kernel to discard the URB in this slot; its completion brings the answer.
  case discard(slot: Int)
  /// The URB in this slot never reached the kernel: free the slot and queue the reply.
  case dropUnsubmitted(slot: Int, reply: UnlinkReply)
  /// Queue the reply behind everything that is queued already.
  case answerNow(UnlinkReply)
  /// Nothing: the URB is being unlinked and this answer follows the first one, or its submit has not
  /// arrived yet and the answer follows then.
  case wait
}
