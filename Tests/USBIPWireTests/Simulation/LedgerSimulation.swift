// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import USBIPWire

/// A client, an exporter with the ledger under test, and a kernel, one random step at a time.
///
/// The client is as strict as vhci_hcd, and stricter: any answer it does not wait for is noted as
/// a violation, as is a transfer whose end is not told as the kernel told it.
struct LedgerSimulation<Dice: RandomNumberGenerator>: ~Copyable {
  private(set) var violations: [String] = []
  private(set) var tally = LedgerTally()

  private var generator: Dice
  private var ledger: URBLedger
  private let maximumBytes: Int
  private let seqnums: ClosedRange<UInt32>

  private var commands: [LedgerCommand] = []
  private var answers: [LedgerAnswer] = []

  /// Client: numbers in order, as vhci_hcd's one counter gives them, or any that is free.
  private let countsUp: Bool
  private var counter: UInt32
  /// Client that counts up: a submit that stays behind the unlinks of it.
  private var held: LedgerTransfer?
  /// Unlinks that were sent before their submits and have no answer yet.
  private var early: Set<UInt32> = []
  /// Unlinks of submits that were never made, which nothing but a newer submit makes answered.
  private var aimless: [UInt32: UInt32] = [:]

  /// Client: what it waits for.
  private var pending: [UInt32: LedgerTransfer] = [:]
  private var pendingUnlinks: [UInt32: LedgerTransfer?] = [:]

  /// Exporter: the highest number of a submit it has read.
  private var highest: UInt32?
  /// Exporter: the transfer of each slot.
  private var slots: [LedgerTransfer?]
  /// Kernel: what it has, and what it has ended, in order.
  private var running: [Int] = []
  private var ended: [Int] = []
  /// Exporter: what waits behind a barrier.
  private var waiting: [Int] = []

  init(generator dice: Dice) {
    generator = dice
    let capacity = Int.random(in: 1...12, using: &generator)
    maximumBytes = Int.random(in: 1...4000, using: &generator)
    seqnums = 0...UInt32.random(in: 30...200, using: &generator)
    countsUp = generator.once(in: 3)
    // Now and then over the wrap.
    counter = generator.once(in: 2) ? UInt32.max - 40 : UInt32.random(in: 0...9, using: &generator)
    slots = Array(repeating: nil, count: capacity)
    ledger = URBLedger(
      capacity: capacity, maximumBytes: maximumBytes,
      maximumRepeatedUnlinks: Int.random(in: 1...6, using: &generator),
      maximumEarlyUnlinks: 64)
  }

  /// Lets the client talk for `steps`, then lets everything end.
  mutating func run(steps: Int) {
    for _ in 0..<steps where violations.isEmpty { step(clientTalks: true) }
    sendHeld()
    // A kernel ends everything in the end, so a limit means that something is stuck.
    var left = steps * 50
    while left > 0, violations.isEmpty, !isIdle {
      step(clientTalks: false)
      left -= 1
    }
    guard violations.isEmpty else { return }
    check(isIdle, "stuck: \(commands.count) commands, \(pending.count) pending")
    check(pending.isEmpty, "submits without answer: \(pending.keys.sorted())")
    let unanswered = pendingUnlinks.keys.filter { aimless[$0] == nil }.sorted()
    check(unanswered.isEmpty, "unlinks without answer: \(unanswered)")
    check(ledger.count == 0, "the ledger holds \(ledger.count)")
    check(ledger.outstandingBytes == 0, "the ledger counts \(ledger.outstandingBytes) bytes")
    check(slots.allSatisfy { $0 == nil }, "slots are taken")
  }

  private var isIdle: Bool {
    commands.isEmpty && answers.isEmpty && running.isEmpty && ended.isEmpty && waiting.isEmpty
  }

  private mutating func check(_ condition: Bool, _ violation: String) {
    if !condition { violations.append(violation) }
  }

  private mutating func step(clientTalks: Bool) {
    switch Int.random(in: 0..<10, using: &generator) {
    case 0, 1: if clientTalks { submit() }
    case 2: if clientTalks { unlink() }
    case 3, 4: readCommand()
    case 5: endTransfer()
    case 6: reap()
    case 7: leaveBarrier()
    default: readAnswer()
    }
  }

  // MARK: Client

  private mutating func freeSeqnum() -> UInt32? {
    if countsUp {
      counter &+= UInt32.random(in: 1...3, using: &generator)
      return counter
    }
    let seqnum = UInt32.random(in: seqnums, using: &generator)
    return pending[seqnum] == nil && pendingUnlinks[seqnum] == nil ? seqnum : nil
  }

  private mutating func submit() {
    guard let seqnum = freeSeqnum() else { return }
    let transfer = LedgerTransfer(seqnum: seqnum)
    tally.submits += 1
    sendHeld()
    pending[seqnum] = transfer
    if countsUp, generator.once(in: 3) {
      held = transfer
    } else {
      commands.append(.submit(transfer))
    }
  }

  private mutating func sendHeld() {
    guard let transfer = held else { return }
    commands.append(.submit(transfer))
    held = nil
  }

  private mutating func unlink() {
    if countsUp, generator.once(in: held == nil ? 6 : 1) { return unlinkEarly() }
    guard let seqnum = freeSeqnum() else { return }
    // Mostly what is pending, often the same again; now and then itself or anything.
    var target = pending.keys.sorted().randomElement(using: &generator) ?? seqnum
    if generator.once(in: 2) { target = pending.keys.min() ?? target }
    if generator.once(in: 20) { target = seqnum }
    if !countsUp, generator.once(in: 20), let highest {
      // Not beyond what was there before: the exporter would take it for one that is still to come.
      target = UInt32.random(in: 0...min(highest, seqnum), using: &generator)
    }
    pendingUnlinks[seqnum] = .some(pending[target])
    commands.append(.unlink(seqnum, target: target, pending[target]))
    tally.unlinks += 1
  }

  /// Unlinks the submit that is held back, or a number that was left out.
  private mutating func unlinkEarly() {
    // Beyond the limit one is answered as that of an unknown submit, and its submit carried out.
    guard early.count < WireLimits.maximumEarlyUnlinks,
      let target = held?.seqnum ?? freeSeqnum(), let seqnum = freeSeqnum()
    else { return }
    early.insert(seqnum)
    if held == nil { aimless[seqnum] = target }
    pendingUnlinks[seqnum] = .some(held)
    commands.append(.unlink(seqnum, target: target, held))
    tally.unlinks += 1
  }

  private mutating func readAnswer() {
    guard !answers.isEmpty else { return }
    switch answers.removeFirst() {
    case .submit(let reply):
      guard let transfer = pending.removeValue(forKey: reply.seqnum) else {
        check(false, "RET_SUBMIT of \(reply.seqnum), which nobody waits for")
        return
      }
      check(reply, of: transfer)
    case .unlink(let reply):
      guard let target = pendingUnlinks.removeValue(forKey: reply.seqnum) else {
        check(false, "RET_UNLINK of \(reply.seqnum), which nobody waits for")
        return
      }
      early.remove(reply.seqnum)
      check(reply, of: target)
    }
  }

  private mutating func check(_ reply: SubmitReply, of transfer: LedgerTransfer) {
    let name = "RET_SUBMIT of \(reply.seqnum)"
    if let refusal = transfer.refusal {
      check(reply.status == refusal && reply.actualLength == 0, "\(name): not the refusal")
      return
    }
    guard let end = transfer.end else {
      check(false, "\(name) before its end")
      return
    }
    check(reply.actualLength == end.length, "\(name) with \(reply.actualLength) of \(end.length)")
    guard transfer.wasKilled else {
      check(reply.status == end.status, "\(name): \(reply.status) for \(end.status)")
      if transfer.wasUnlinked { tally.completionWins += 1 }
      return
    }
    guard transfer.wasUnlinked else {
      check(reply.status == -108, "\(name): \(reply.status) for a kill of ours")
      tally.shutdowns += 1
      return
    }
    check(end.length > 0, "\(name) although the unlink won")
    check(reply.status == 0, "\(name): \(reply.status) for rescued data")
    tally.rescuedData += 1
  }

  private mutating func check(_ reply: UnlinkReply, of target: LedgerTransfer?) {
    let name = "RET_UNLINK \(reply.seqnum)"
    let isPending = target.map { pending[$0.seqnum] === $0 } ?? false
    switch reply.status {
    case 0:
      check(!isPending, "\(name) with 0 while its submit is pending: its data would be lost")
    case -104:
      guard let target, isPending else {
        check(false, "\(name) won over nothing")
        return
      }
      pending[target.seqnum] = nil
      check(held !== target, "\(name) before the client sent what it is about")
      check(target.end?.length ?? 0 == 0, "\(name) won over data")
      check(target.end == nil || target.wasKilled, "\(name) won over a completion")
      tally.unlinkWins += 1
    default:
      check(false, "\(name) with \(reply.status)")
    }
  }

  // MARK: Exporter

  private mutating func readCommand() {
    guard let command = commands.first else { return }
    do {
      switch command {
      case .submit(let transfer):
        ledger.arrive(transfer.seqnum)
        highest = max(highest ?? 0, transfer.seqnum)
        if answerEarly(transfer) { break }
        let length = Int.random(in: 0...maximumBytes, using: &generator)
        guard ledger.admits(length: length), let slot = slots.firstIndex(where: { $0 == nil })
        else {
          tally.stalls += 1
          return
        }
        try ledger.submit(seqnum: transfer.seqnum, slot: slot, length: length)
        slots[slot] = transfer
        offerDuplicate(transfer.seqnum)
        if generator.once(in: 3) { waiting.append(slot) } else { start(slot) }
      case .unlink(let seqnum, let target, let transfer):
        guard ledger.admitsUnlink else {
          tally.stalls += 1
          return
        }
        carryOut(
          try ledger.unlink(Unlink(seqnum: seqnum, devid: 0, target: target)), of: transfer)
      }
      commands.removeFirst()
    } catch {
      check(false, "\(error)")
    }
  }

  private mutating func answerEarly(_ transfer: LedgerTransfer) -> Bool {
    var isUnlinked = false
    while let reply = ledger.takeEarlyUnlink(arrived: transfer.seqnum) {
      if reply.status != 0 {
        check(!isUnlinked, "two unlinks of \(transfer.seqnum) won")
        isUnlinked = true
        tally.earlyWins += 1
      } else if aimless[reply.seqnum] == nil {
        tally.earlyRepeats += 1
      } else {
        tally.expiries += 1
      }
      answers.append(.unlink(reply))
    }
    return isUnlinked
  }

  private mutating func offerDuplicate(_ seqnum: UInt32) {
    guard generator.once(in: 10), let slot = slots.firstIndex(where: { $0 == nil }) else { return }
    do throws(WireError) {
      try ledger.submit(seqnum: seqnum, slot: slot, length: 1)
      check(false, "took \(seqnum) twice")
    } catch {
      check(error == .duplicateSequenceNumber(seqnum), "\(error)")
      tally.duplicates += 1
    }
  }

  private mutating func carryOut(_ action: UnlinkAction, of transfer: LedgerTransfer?) {
    switch action {
    case .discard(let slot):
      guard let unlinked = slots[slot], unlinked === transfer else {
        check(false, "discards another transfer")
        return
      }
      unlinked.wasUnlinked = true
      discard(slot)
    case .dropUnsubmitted(let slot, let reply):
      check(slots[slot] === transfer && waiting.contains(slot), "drops another transfer")
      waiting.removeAll { $0 == slot }
      slots[slot] = nil
      answers.append(.unlink(reply))
      tally.drops += 1
    case .answerNow(let reply):
      answers.append(.unlink(reply))
      tally.answersNow += 1
    case .wait:
      if transfer?.wasUnlinked == true {
        tally.repeats += 1
      } else {
        check(countsUp && transfer?.end == nil, "waits for no first unlink")
      }
    }
  }

  private mutating func start(_ slot: Int) {
    guard !generator.once(in: 10) else {
      // SUBMITURB failed.
      let status: Int32 = [-12, -19, -22, -2].randomElement(using: &generator) ?? -22
      slots[slot]?.refusal = status
      tally.refusals += 1
      complete(slot, status: status, length: 0)
      return
    }
    ledger.markSubmitted(slot: slot)
    running.append(slot)
  }

  private mutating func leaveBarrier() {
    guard !waiting.isEmpty else { return }
    start(waiting.removeFirst())
  }

  private mutating func reap() {
    guard !ended.isEmpty else { return }
    let slot = ended.removeFirst()
    guard let end = slots[slot]?.end else { return check(false, "reaps a free slot") }
    complete(slot, status: end.status, length: end.length)
  }

  private mutating func complete(_ slot: Int, status: Int32, length: Int32) {
    let completion = ledger.complete(slot: slot, status: status, actualLength: length)
    slots[slot] = nil
    if let reply = completion.submit { answers.append(.submit(reply)) }
    if let reply = completion.unlink { answers.append(.unlink(reply)) }
    guard completion.hasRepeatedUnlinks else { return }
    while let reply = ledger.takeRepeatedUnlink() { answers.append(.unlink(reply)) }
  }

  // MARK: Kernel

  private mutating func endTransfer() {
    guard let place = running.indices.randomElement(using: &generator) else { return }
    if generator.once(in: 6) { return kill(place, status: -2) }
    let status: Int32 = [0, 0, -32, -71, -75, -121].randomElement(using: &generator) ?? 0
    end(place, status: status, length: Int32.random(in: 0...3, using: &generator))
  }

  private mutating func discard(_ slot: Int) {
    guard let place = running.firstIndex(of: slot) else { return }
    kill(place, status: generator.once(in: 4) ? -104 : -2)
  }

  private mutating func kill(_ place: Int, status: Int32) {
    slots[running[place]]?.wasKilled = true
    end(place, status: status, length: generator.once(in: 3) ? 5 : 0)
  }

  private mutating func end(_ place: Int, status: Int32, length: Int32) {
    let slot = running.remove(at: place)
    slots[slot]?.end = (status, length)
    ended.append(slot)
  }
}
