// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import USBIPWire

/// One submit in its life; sequence numbers come again, this does not.
final class LedgerTransfer {
  let seqnum: UInt32
  /// How the kernel ended it; `nil` while it runs or never ran.
  var end: (status: Int32, length: Int32)?
  /// True when `end` came of a discard or of another kill on this side.
  var wasKilled = false
  /// An unlink was taken in while the kernel had it.
  var wasUnlinked = false
  /// The status of a submit that the kernel refused.
  var refusal: Int32?
  init(seqnum: UInt32) { self.seqnum = seqnum }
}

/// What the client sent and the exporter has not read.
enum LedgerCommand {
  case submit(LedgerTransfer)
  case unlink(UInt32, target: UInt32, LedgerTransfer?)
}

/// What the exporter queued and the client has not read.
enum LedgerAnswer {
  case submit(SubmitReply)
  case unlink(UnlinkReply)
}
