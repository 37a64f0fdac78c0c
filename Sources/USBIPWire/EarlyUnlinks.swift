// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// Unlinks that came before the submit they are about: a list of fixed size, in order of arrival.
///
/// vhci_hcd sends the submits that are queued and then the unlinks (vhci_tx_loop,
/// drivers/usb/usbip/vhci_tx.c); a URB that is queued and unlinked between the two goes out in the
/// wrong order. An answer to such an unlink must wait for the submit: before it, vhci_hcd has not yet
/// moved the URB to where it looks for what RET_UNLINK is about.
struct EarlyUnlinks: ~Copyable {
  private struct Entry {
    var target: UInt32 = 0
    var seqnum: UInt32 = 0
    /// Another unlink of the same submit stands before this one.
    var isRepeated = false
  }

  private var entries: [Entry]
  private var count = 0

  /// Allocates `capacity` places.
  init(capacity: Int) {
    entries = Array(repeating: Entry(), count: capacity)
  }

  /// True when none waits.
  var isEmpty: Bool { count == 0 }

  /// Keeps an unlink until its submit arrives; false when there is no place for it.
  mutating func append(_ unlink: Unlink) -> Bool {
    guard count < entries.count else { return false }
    entries[count] = Entry(
      target: unlink.target, seqnum: unlink.seqnum,
      isRepeated: entries[..<count].contains { $0.target == unlink.target })
    count += 1
    return true
  }

  /// The answer to one unlink that is due now that the submit `seqnum` has arrived; `nil` when no
  /// more is.
  ///
  /// The first unlink of this submit wins. Those of older submits are told that there was nothing
  /// to unlink: a client submits in the order of its numbers, so theirs will not come any more.
  mutating func take(arrived seqnum: UInt32) -> UnlinkReply? {
    for place in 0..<count where !entries[place].target.isNewer(than: seqnum) {
      let entry = entries[place]
      for next in place + 1..<max(count, place + 1) { entries[next - 1] = entries[next] }
      count -= 1
      let wins = entry.target == seqnum && !entry.isRepeated
      return UnlinkReply(
        seqnum: entry.seqnum, status: wins ? URBStatus.connectionReset : URBStatus.success)
    }
    return nil
  }
}

extension UInt32 {
  /// True when this sequence number was given after `other`, over a wrap too (RFC 1982).
  func isNewer(than other: UInt32) -> Bool { Int32(bitPattern: self &- other) > 0 }
}
