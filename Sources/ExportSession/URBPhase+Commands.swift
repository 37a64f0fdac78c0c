// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import LinuxHost
internal import USBIPWire
internal import USBModel

/// Reading: from bytes to transfers.
extension URBPhase where Device: ~Copyable {
  /// Receives what is there and takes the commands in it, some rounds at most so that others get on.
  mutating func receiveCommands() {
    for _ in 0..<(isStreaming ? limits.streamingRounds : limits.rounds) {
      guard end == nil, hold == .none else { return }
      let result: Int
      if case .payload(let slot, let offset, let missing) = reading {
        // A large payload goes straight to its place; what follows it, to the buffer.
        var placed = 0
        result = received.receive(
          from: connection, first: slots[slot].payload + offset, length: missing, placed: &placed)
        reading = .payload(slot: slot, offset: offset + placed, missing: missing - placed)
      } else {
        result = received.receive(from: connection)
      }
      if result == StreamSocket.wouldBlock { return }
      guard result != 0 else {
        end = reading == .header && received.count == 0 ? .peerClosed : .truncated
        return
      }
      guard result > 0 else {
        end = .connectionFailed(Int32(truncatingIfNeeded: -result))
        return
      }
      takeCommands()
      // A socket that filled less than there was room is empty; epoll tells when it is not.
      guard received.mayHaveMore else { return }
    }
  }

  /// Takes commands out of the buffer until it holds no whole one, or they are put on hold.
  mutating func takeCommands() {
    while end == nil, hold == .none {
      switch reading {
      case .payload(let slot, let offset, let missing):
        let length = min(missing, received.count)
        if length > 0, let source = received.front(length).baseAddress {
          (slots[slot].payload + offset).copyMemory(from: source, byteCount: length)
          received.skip(length)
        }
        guard length == missing else {
          reading = .payload(slot: slot, offset: offset + length, missing: missing - length)
          return
        }
        reading = .header
        start(slot)
      case .dropped(let missing, let reply):
        let length = min(missing, received.count)
        received.skip(length)
        guard length == missing else {
          reading = .dropped(missing: missing - length, reply: reply)
          return
        }
        reading = .header
        reply?.encode(into: replies.appendHeader())
      case .header:
        guard received.count >= URBCommand.headerLength else { return }
        takeHeader()
      }
    }
  }

  private mutating func takeHeader() {
    guard replies.room >= repliesReserved, ledger.admitsUnlink else {
      hold = .room
      return
    }
    do throws(WireError) {
      let header = received.front(URBCommand.headerLength)
      switch try URBCommand.decode(header, devid: devid) {
      case .submit(let submit):
        ledger.arrive(submit.seqnum)
        try take(submit)
      case .unlink(let unlink): try take(unlink)
      }
    } catch {
      end = .violation(error)
    }
  }

  private mutating func take(_ submit: Submit) throws(WireError) {
    let disposition = try submit.disposition(in: endpoints)
    if answerEarlyUnlinks(of: submit.seqnum) {
      received.skip(URBCommand.headerLength)
      let packets = disposition == .transfer(.isochronous) ? Int(submit.packets) : 0
      reading = .dropped(
        missing: submit.payloadLength + packets * IsochronousPacket.size, reply: nil)
      return
    }
    switch disposition {
    case .answer(let status):
      guard ledger.slot(of: submit.seqnum) == nil else {
        throw .duplicateSequenceNumber(submit.seqnum)
      }
      statistics.refused &+= 1
      received.skip(URBCommand.headerLength)
      reading = .dropped(
        missing: submit.payloadLength, reply: SubmitReply(answering: submit, status: status))
    case .transfer(let type):
      try take(submit, type)
    }
  }

  private mutating func take(_ submit: Submit, _ type: TransferType) throws(WireError) {
    // The setup packet decides how much a control transfer moves; what else was framed is read
    // and left unused.
    let length = type == .control ? Int(submit.setup.length) : submit.length
    let packets = type == .isochronous ? Int(submit.packets) : 0
    let descriptors = packets * IsochronousPacket.size
    let room = (submit.isIn ? length : max(submit.length, length)) + descriptors
    isStreaming = room >= limits.longTransfer
    if isStreaming, !slots.hasAskedToShare {
      slots.adopt(device.shareMemory(byteCount: limits.sharedBytes))
    }
    // A URB that is cut into pieces takes a slot for each of them besides its own.
    let pieces = IsochronousPieces.count(packets: packets)
    guard slots.free >= min(pieces > 1 ? 1 + pieces : 1, slots.capacity),
      let slot = slots.take(length: room, byteLimit: limits.bytes)
    else {
      hold = .room
      return
    }
    do throws(WireError) {
      try ledger.submit(
        seqnum: submit.seqnum, slot: slot, length: room, echoedPackets: submit.echoedPackets)
    } catch {
      slots.give(slot)
      throw error
    }
    received.skip(URBCommand.headerLength)
    slots[slot].seqnum = submit.seqnum
    let flags = submit.flags.masked(for: type, isIn: submit.isIn)
    slots[slot].length = length
    slots[slot].endpointAddress = submit.endpoint | (submit.isIn ? 0x80 : 0)
    slots[slot].type = type
    slots[slot].shortNotOK = flags.contains(.shortNotOK)
    slots[slot].zeroPacket = flags.contains(.zeroPacket)
    if type == .control {
      submit.setup.encode(
        into: UnsafeMutableRawBufferPointer(
          start: slots[slot].payload - SetupPacket.size, count: SetupPacket.size))
    }
    slots[slot].packets = packets
    received.expect(longPayloads: submit.payloadLength >= limits.longTransfer)
    if submit.payloadLength + descriptors > 0 {
      // Packet descriptors lie behind the data, whether the data is there yet or not.
      reading = .payload(
        slot: slot, offset: submit.isIn ? length : 0, missing: submit.payloadLength + descriptors)
    } else {
      start(slot)
    }
  }

  /// Answers the unlinks that waited for this submit; true where one of them won.
  private mutating func answerEarlyUnlinks(of seqnum: UInt32) -> Bool {
    var isUnlinked = false
    while let reply = ledger.takeEarlyUnlink(arrived: seqnum) {
      if reply.status == URBStatus.connectionReset { isUnlinked = true }
      reply.encode(into: replies.appendHeader())
    }
    return isUnlinked
  }

  private mutating func take(_ unlink: Unlink) throws(WireError) {
    received.skip(URBCommand.headerLength)
    statistics.unlinks &+= 1
    switch try ledger.unlink(unlink) {
    case .discard(let slot):
      discard(slot)
    case .dropUnsubmitted(let slot, let reply):
      count(endOf: slot, status: URBStatus.connectionReset, moved: 0)
      slots.give(slot)
      reply.encode(into: replies.appendHeader())
    case .answerNow(let reply):
      reply.encode(into: replies.appendHeader())
    case .wait:
      // The completion of this URB answers it too, or the arrival of its submit.
      break
    }
  }
}
