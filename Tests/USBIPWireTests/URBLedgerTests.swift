// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import Testing
import USBIPWire

@Suite struct URBLedgerTests {
  private func unlink(_ seqnum: UInt32, of target: UInt32) -> Unlink {
    Unlink(seqnum: seqnum, devid: 0, target: target)
  }

  private func completion(
    _ submit: SubmitReply?, _ unlink: UnlinkReply? = nil, more: Bool = false
  ) -> Completion {
    var expected = Completion()
    expected.submit = submit
    expected.unlink = unlink
    expected.hasRepeatedUnlinks = more
    return expected
  }

  /// A ledger in which the kernel has the URB of seqnum 7 in slot 3.
  private func submitted() throws -> URBLedger {
    var ledger = URBLedger(capacity: 8)
    try ledger.submit(seqnum: 7, slot: 3, length: 512)
    ledger.markSubmitted(slot: 3)
    return ledger
  }

  @Test(arguments: [Int32(0), -32, -71, -75, -121, -108])
  func answersASubmit(status: Int32) throws {
    var ledger = try submitted()
    let answers = ledger.complete(slot: 3, status: status, actualLength: 100)
    #expect(
      answers == completion(SubmitReply(seqnum: 7, status: status, actualLength: 100)))
    #expect(ledger.count == 0)
    #expect(ledger.outstandingBytes == 0)
  }

  @Test func echoesThePackets() throws {
    var ledger = URBLedger(capacity: 1)
    for (packets, echo) in [(Int32(0), Int32(0)), (-1, -1), (1_000_000, 0), (.min, 0)] {
      try ledger.submit(
        Submit(seqnum: 1, devid: 2, isIn: true, endpoint: 3, length: 4, packets: packets), slot: 0)
      let answers = ledger.complete(slot: 0, status: 0, actualLength: 0)
      #expect(answers.submit?.packets == echo)
    }
  }

  @Test(arguments: [Int32(-2), -104]) func letsAnUnlinkWin(killed: Int32) throws {
    var ledger = try submitted()
    let action = try ledger.unlink(unlink(8, of: 7))
    #expect(action == .discard(slot: 3))
    let answers = ledger.complete(slot: 3, status: killed, actualLength: 0)
    #expect(answers == completion(nil, UnlinkReply(seqnum: 8, status: -104)))
  }

  @Test(arguments: [Int32(0), -32, -121]) func letsACompletionWin(status: Int32) throws {
    for length: Int32 in [0, 64] {
      var ledger = try submitted()
      _ = try ledger.unlink(unlink(8, of: 7))
      let answers = ledger.complete(slot: 3, status: status, actualLength: length)
      #expect(
        answers
          == completion(
            SubmitReply(seqnum: 7, status: status, actualLength: length),
            UnlinkReply(seqnum: 8, status: 0)))
    }
  }

  @Test(arguments: [Int32(-2), -104]) func losesNoData(killed: Int32) throws {
    var ledger = try submitted()
    _ = try ledger.unlink(unlink(8, of: 7))
    let answers = ledger.complete(slot: 3, status: killed, actualLength: 1)
    #expect(
      answers
        == completion(
          SubmitReply(seqnum: 7, status: 0, actualLength: 1), UnlinkReply(seqnum: 8, status: 0)))
  }

  @Test(arguments: [Int32(-2), -104]) func saysShutdownForWhatWasKilledUnasked(killed: Int32) throws
  {
    for length: Int32 in [0, 9] {
      var ledger = try submitted()
      let answers = ledger.complete(slot: 3, status: killed, actualLength: length)
      #expect(
        answers == completion(SubmitReply(seqnum: 7, status: -108, actualLength: length)))
    }
  }

  @Test func answersTheUnlinkOfAnUnknownOrAnsweredSubmit() throws {
    var ledger = try submitted()
    let unknown = try ledger.unlink(unlink(8, of: 6))
    #expect(unknown == .answerNow(UnlinkReply(seqnum: 8, status: 0)))
    let itself = try ledger.unlink(unlink(9, of: 9))
    #expect(itself == .answerNow(UnlinkReply(seqnum: 9, status: 0)))
    _ = ledger.complete(slot: 3, status: 0, actualLength: 0)
    let late = try ledger.unlink(unlink(10, of: 7))
    #expect(late == .answerNow(UnlinkReply(seqnum: 10, status: 0)))
  }

  @Test("an unlink before its submit waits for it: wrap, repetition, numbers left out, no place")
  func keepsAnEarlyUnlink() throws {
    var ledger = URBLedger(capacity: 4, maximumEarlyUnlinks: 3)
    ledger.arrive(0xFFFF_FFFE)
    for (seqnum, target) in [(UInt32(2), UInt32(0xFFFF_FFFF)), (3, 1), (4, 1)] {
      let action = try ledger.unlink(unlink(seqnum, of: target))
      #expect(action == .wait)
    }
    let overflow = try ledger.unlink(unlink(5, of: 1))
    #expect(overflow == .answerNow(UnlinkReply(seqnum: 5, status: 0)))
    let early = ledger.takeEarlyUnlink(arrived: 0xFFFF_FFFE)
    #expect(early == nil)
    ledger.arrive(1)
    var answers: [UnlinkReply] = []
    while let reply = ledger.takeEarlyUnlink(arrived: 1) { answers.append(reply) }
    #expect(
      answers == [
        UnlinkReply(seqnum: 2, status: 0), UnlinkReply(seqnum: 3, status: -104),
        UnlinkReply(seqnum: 4, status: 0),
      ])
    // What arrived already is answered, not awaited.
    let late = try ledger.unlink(unlink(6, of: 1))
    #expect(late == .answerNow(UnlinkReply(seqnum: 6, status: 0)))
  }

  @Test func dropsWhatTheKernelNeverSaw() throws {
    var ledger = URBLedger(capacity: 4)
    try ledger.submit(seqnum: 7, slot: 2, length: 10)
    let action = try ledger.unlink(unlink(8, of: 7))
    #expect(action == .dropUnsubmitted(slot: 2, reply: UnlinkReply(seqnum: 8, status: -104)))
    #expect(ledger.count == 0)
    #expect(ledger.outstandingBytes == 0)
    let again = try ledger.unlink(unlink(9, of: 7))
    #expect(again == .answerNow(UnlinkReply(seqnum: 9, status: 0)))
    try ledger.submit(seqnum: 7, slot: 2)
  }

  @Test func tellsASubmitThatFailedAsItIs() throws {
    for status: Int32 in [-2, -12, -19, -22, -104] {
      var ledger = URBLedger(capacity: 1)
      try ledger.submit(seqnum: 7, slot: 0)
      let answers = ledger.complete(slot: 0, status: status, actualLength: 0)
      #expect(answers == completion(SubmitReply(seqnum: 7, status: status)))
    }
  }

  @Test func answersRepeatedUnlinksBehindTheFirst() throws {
    var ledger = try submitted()
    try ledger.submit(seqnum: 20, slot: 4)
    ledger.markSubmitted(slot: 4)
    for (seqnum, target) in [(UInt32(8), UInt32(7)), (21, 20), (9, 7), (22, 20), (10, 7)] {
      let action = try ledger.unlink(unlink(seqnum, of: target))
      #expect(
        action == (seqnum == 8 ? .discard(slot: 3) : seqnum == 21 ? .discard(slot: 4) : .wait))
    }
    let early = ledger.takeRepeatedUnlink()
    #expect(early == nil)
    let answers = ledger.complete(slot: 3, status: -2, actualLength: 0)
    #expect(answers == completion(nil, UnlinkReply(seqnum: 8, status: -104), more: true))
    var repeated: [UnlinkReply] = []
    while let reply = ledger.takeRepeatedUnlink() { repeated.append(reply) }
    #expect(repeated == [UnlinkReply(seqnum: 9, status: 0), UnlinkReply(seqnum: 10, status: 0)])
    let others = ledger.complete(slot: 4, status: 0, actualLength: 0)
    #expect(
      others
        == completion(
          SubmitReply(seqnum: 20, status: 0), UnlinkReply(seqnum: 21, status: 0), more: true))
    let last = ledger.takeRepeatedUnlink()
    #expect(last == UnlinkReply(seqnum: 22, status: 0))
    let none = ledger.takeRepeatedUnlink()
    #expect(none == nil)
  }

  @Test func boundsRepeatedUnlinks() throws {
    var ledger = URBLedger(capacity: 2, maximumRepeatedUnlinks: 2)
    try ledger.submit(seqnum: 1, slot: 0)
    ledger.markSubmitted(slot: 0)
    for round in 0..<3 {
      for seqnum in UInt32(10)...12 {
        let admits = ledger.admitsUnlink
        #expect(admits)
        _ = try ledger.unlink(unlink(seqnum, of: 1))
      }
      let admits = ledger.admitsUnlink
      #expect(!admits)
      do throws(WireError) {
        _ = try ledger.unlink(unlink(13, of: 1))
        Issue.record("no error")
      } catch {
        #expect(error == .tooManyUnlinks)
      }
      // Others need no place.
      let unknown = try ledger.unlink(unlink(14, of: 14))
      #expect(unknown == .answerNow(UnlinkReply(seqnum: 14, status: 0)))
      _ = ledger.complete(slot: 0, status: 0, actualLength: 0)
      while ledger.takeRepeatedUnlink() != nil {}
      try ledger.submit(seqnum: 1, slot: round % 2)
      ledger.markSubmitted(slot: round % 2)
      if round % 2 == 1 {
        _ = ledger.complete(slot: 1, status: 0, actualLength: 0)
        try ledger.submit(seqnum: 1, slot: 0)
        ledger.markSubmitted(slot: 0)
      }
    }
  }

  @Test func refusesADuplicateSequenceNumber() throws {
    var ledger = try submitted()
    do throws(WireError) {
      try ledger.submit(seqnum: 7, slot: 0, length: 1)
      Issue.record("no error")
    } catch {
      #expect(error == .duplicateSequenceNumber(7))
    }
    #expect(ledger.count == 1)
    #expect(ledger.outstandingBytes == 512)
    _ = ledger.complete(slot: 3, status: 0, actualLength: 0)
    try ledger.submit(seqnum: 7, slot: 0)
  }

  @Test func stopsTheReaderAtTheLimits() throws {
    var ledger = URBLedger(capacity: 2, maximumBytes: 100)
    let alone = ledger.admits(length: 101)
    #expect(alone, "a transfer that is never admitted would never end")
    try ledger.submit(seqnum: 1, slot: 0, length: 60)
    let (fits, tooLong) = (ledger.admits(length: 40), ledger.admits(length: 41))
    #expect(fits)
    #expect(!tooLong)
    try ledger.submit(seqnum: 2, slot: 1, length: 0)
    let third = ledger.admits(length: 0)
    #expect(!third)
    do throws(WireError) {
      try ledger.submit(seqnum: 3, slot: 1)
      Issue.record("no error")
    } catch {
      #expect(error == .tooManyOutstanding)
    }
    _ = ledger.complete(slot: 0, status: 0, actualLength: 0)
    let again = ledger.admits(length: 100)
    #expect(again)
  }

  @Test func listsWhatIsOutstanding() throws {
    var ledger = URBLedger(capacity: 6)
    for slot in [1, 4, 5] { try ledger.submit(seqnum: UInt32(slot * 10), slot: slot) }
    ledger.markSubmitted(slot: 4)
    var found: [Int] = []
    var next = ledger.firstOutstanding(from: 0)
    while let slot = next {
      found.append(slot)
      next = ledger.firstOutstanding(from: slot + 1)
    }
    #expect(found == [1, 4, 5])
    let submitted = (0..<6).map { ledger.isSubmitted(slot: $0) }
    #expect(submitted == [false, false, false, false, true, false])
    #expect(ledger.slot(of: 40) == 4)
    #expect(ledger.slot(of: 41) == nil)
    #expect(ledger.firstOutstanding(from: 600) == nil)
  }

  @Test func takesTheLimitsOfTheWire() {
    let ledger = URBLedger()
    #expect(ledger.capacity == 512)
    let (most, more) = (
      ledger.admits(length: WireLimits.maximumOutstandingBytes), ledger.admitsUnlink
    )
    #expect(most)
    #expect(more)
  }
}
