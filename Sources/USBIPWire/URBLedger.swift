// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// Who is owed which answer: every submit and unlink of one connection that is not answered yet.
///
/// A slot is the caller's number of a URB, 0..<capacity; it is taken from `submit` until
/// `complete` or `dropUnsubmitted`. All memory is allocated by `init`.
///
/// The rules of an unlink, as vhci_hcd and the Windows clients need them (drivers/usb/usbip/vhci_rx.c):
/// each unlink gets one RET_UNLINK. When the unlink wins, RET_UNLINK says ECONNRESET and no
/// RET_SUBMIT may ever follow, because the client takes an unknown seqnum for a broken connection.
/// When the transfer wins, RET_SUBMIT goes strictly before RET_UNLINK with status 0, because the
/// latter makes the client complete the URB without data. A transfer that moved bytes has won,
/// whatever the kernel says of its end: data that left the device must not be lost. An unlink that
/// came before its submit wins when the submit arrives (`EarlyUnlinks`).
public struct URBLedger: ~Copyable {
  private struct Entry {
    var isTaken = false
    /// The kernel has the URB.
    var isSubmitted = false
    var isUnlinked = false
    var seqnum: UInt32 = 0
    var unlinkSeqnum: UInt32 = 0
    var length = 0
    var echoedPackets: Int32 = 0
    var repeated = RepeatedUnlinks.Chain()
  }

  private var entries: [Entry]
  private var index: SequenceIndex
  private var repeated: RepeatedUnlinks
  private var early: EarlyUnlinks
  /// The newest submit that arrived; `nil` before the first.
  private var newest: UInt32?
  private let maximumBytes: Int

  /// How many URBs are outstanding.
  public private(set) var count = 0
  /// The bytes of their buffers.
  public private(set) var outstandingBytes = 0
  /// How many slots there are.
  public let capacity: Int

  /// Allocates everything; the limits default to those of `WireLimits`.
  public init(
    capacity: Int = WireLimits.maximumOutstandingURBs,
    maximumBytes: Int = WireLimits.maximumOutstandingBytes,
    maximumRepeatedUnlinks: Int = WireLimits.maximumRepeatedUnlinks,
    maximumEarlyUnlinks: Int = WireLimits.maximumEarlyUnlinks
  ) {
    self.capacity = capacity
    self.maximumBytes = maximumBytes
    entries = Array(repeating: Entry(), count: capacity)
    index = SequenceIndex(capacity: capacity)
    repeated = RepeatedUnlinks(capacity: maximumRepeatedUnlinks)
    early = EarlyUnlinks(capacity: maximumEarlyUnlinks)
  }

  /// True while a submit with a buffer of `length` bytes may be taken in.
  ///
  /// False is no error of the peer: the session leaves the rest unread until something completes.
  public func admits(length: Int) -> Bool {
    count < capacity && (count == 0 || length <= maximumBytes - outstandingBytes)
  }

  /// True while any unlink may be taken in; false means as in `admits`.
  public var admitsUnlink: Bool { !repeated.isFull }

  /// Notes that the submit `seqnum` has arrived; to be called for one that is not entered, too.
  public mutating func arrive(_ seqnum: UInt32) {
    if newest.map({ seqnum.isNewer(than: $0) }) ?? true { newest = seqnum }
  }

  /// The answer to one unlink that waited for the submit `seqnum`, which arrived, or for an older
  /// one; `nil` when all have been given.
  ///
  /// Where one says `URBStatus.connectionReset`, the submit is neither entered nor answered.
  public mutating func takeEarlyUnlink(arrived seqnum: UInt32) -> UnlinkReply? {
    early.isEmpty ? nil : early.take(arrived: seqnum)
  }

  /// Enters a submit whose payload is being read or which waits its turn.
  ///
  /// Throws `duplicateSequenceNumber`, and `tooManyOutstanding` when it is not admitted.
  public mutating func submit(_ submit: Submit, slot: Int) throws(WireError) {
    try self.submit(
      seqnum: submit.seqnum, slot: slot, length: submit.length, echoedPackets: submit.echoedPackets)
  }

  /// The same from single values; `length` is the size of the buffer in bytes.
  public mutating func submit(
    seqnum: UInt32, slot: Int, length: Int = 0, echoedPackets: Int32 = 0
  ) throws(WireError) {
    guard index.slot(of: seqnum) == nil else { throw .duplicateSequenceNumber(seqnum) }
    guard admits(length: length) else { throw .tooManyOutstanding }
    precondition(!entries[slot].isTaken, "the slot is taken")
    arrive(seqnum)
    entries[slot] = Entry(
      isTaken: true, seqnum: seqnum, length: length, echoedPackets: echoedPackets)
    index.insert(seqnum, slot: slot)
    count += 1
    outstandingBytes += length
  }

  /// Notes that the kernel has the URB: from now on only its completion answers it.
  public mutating func markSubmitted(slot: Int) {
    precondition(entries[slot].isTaken, "the slot is free")
    entries[slot].isSubmitted = true
  }

  /// Enters an unlink and says what to do about it.
  ///
  /// Throws `tooManyUnlinks` for a repeated one that is not admitted.
  public mutating func unlink(_ unlink: Unlink) throws(WireError) -> UnlinkAction {
    guard let slot = index.slot(of: unlink.target) else {
      if isEarly(unlink), early.append(unlink) { return .wait }
      // Unknown, or answered: its RET_SUBMIT is queued or sent, and this goes behind it.
      return .answerNow(UnlinkReply(seqnum: unlink.seqnum, status: URBStatus.success))
    }
    guard entries[slot].isSubmitted else {
      free(slot)
      return .dropUnsubmitted(
        slot: slot, reply: UnlinkReply(seqnum: unlink.seqnum, status: URBStatus.connectionReset))
    }
    guard !entries[slot].isUnlinked else {
      guard !repeated.isFull else { throw .tooManyUnlinks }
      repeated.append(unlink.seqnum, to: &entries[slot].repeated)
      return .wait
    }
    entries[slot].isUnlinked = true
    entries[slot].unlinkSeqnum = unlink.seqnum
    return .discard(slot: slot)
  }

  /// Takes the end of a URB, as the kernel told it or as the session decided, and frees its slot.
  ///
  /// `status` is 0 or a negative errno; `actualLength` counts bytes moved.
  public mutating func complete(slot: Int, status: Int32, actualLength: Int32) -> Completion {
    let entry = entries[slot]
    precondition(entry.isTaken, "the slot is free")
    free(slot)
    let isKilled = status == URBStatus.noEntry || status == URBStatus.connectionReset
    // A URB that never reached the kernel was not killed by it: ENOENT is then an answer.
    let wasKilled = isKilled && entry.isSubmitted
    var completion = Completion()
    if entry.isUnlinked, wasKilled, actualLength <= 0 {
      completion.unlink = UnlinkReply(
        seqnum: entry.unlinkSeqnum, status: URBStatus.connectionReset)
    } else {
      // Killed with data: the client's core puts its own status there. Killed unasked: by a change
      // of configuration or altsetting, or by a reset.
      let killedStatus = entry.isUnlinked ? URBStatus.success : URBStatus.shutdown
      completion.submit = SubmitReply(
        seqnum: entry.seqnum, status: wasKilled ? killedStatus : status, actualLength: actualLength,
        packets: entry.echoedPackets)
      if entry.isUnlinked {
        completion.unlink = UnlinkReply(seqnum: entry.unlinkSeqnum, status: URBStatus.success)
      }
    }
    completion.hasRepeatedUnlinks = repeated.release(entry.repeated)
    return completion
  }

  /// The answer of one more unlink of a URB that completed; `nil` when all have been given.
  ///
  /// To be queued behind the two answers of the completion.
  public mutating func takeRepeatedUnlink() -> UnlinkReply? {
    repeated.take().map { UnlinkReply(seqnum: $0, status: URBStatus.success) }
  }

  /// The first outstanding URB at or after this slot, for teardown; `nil` when there is none.
  public func firstOutstanding(from slot: Int) -> Int? {
    (slot..<max(slot, capacity)).first { entries[$0].isTaken }
  }

  /// True where the kernel has the URB in this slot.
  public func isSubmitted(slot: Int) -> Bool { entries[slot].isTaken && entries[slot].isSubmitted }

  /// The slot of an outstanding submit.
  public func slot(of seqnum: UInt32) -> Int? { index.slot(of: seqnum) }

  /// True where the submit may still be on its way: the client counted it after the newest one that
  /// arrived and before this unlink.
  private func isEarly(_ unlink: Unlink) -> Bool {
    unlink.seqnum.isNewer(than: unlink.target)
      && newest.map { unlink.target.isNewer(than: $0) } ?? true
  }

  private mutating func free(_ slot: Int) {
    index.remove(entries[slot].seqnum)
    count -= 1
    outstandingBytes -= entries[slot].length
    entries[slot].isTaken = false
    entries[slot].isSubmitted = false
  }
}
