// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import LinuxHost
internal import USBIPWire
internal import USBModel

/// Isochronous URBs: up to 1024 packets on the wire, in pieces of 128 at usbfs.
extension URBPhase where Device: ~Copyable {
  /// Checks the packets of the URB in `slot` and hands all pieces to the device, one after another.
  ///
  /// They follow each other without a pause, because each starts in the next free frame.
  mutating func startIsochronous(_ slot: Int) {
    let urb = slots[slot]
    let descriptors = UnsafeRawBufferPointer(IsochronousPieces.descriptors(urb))
    let payload = endpoints.intervalPayload(
      endpoint: urb.endpointAddress & 0x0F, isIn: urb.isIn)
    // Until something is known of a packet it is one that was not done.
    setOutcome(of: urb)
    guard
      IsochronousPacket.isSound(
        descriptors, packets: urb.packets, length: urb.length, payload: payload ?? 0)
    else {
      completeIsochronous(slot, status: URBStatus.invalid)
      return
    }
    if !urb.isIn { IsochronousPieces.closeGaps(urb) }
    let result = submitPieces(slot, descriptors)
    if slots[slot].piecesInFlight > 0 {
      ledger.markSubmitted(slot: slot)
      return
    }
    switch result {
    case URBStatus.noDevice, URBStatus.shutdown:
      completeIsochronous(slot, status: URBStatus.shutdown)
      end = .deviceGone(result)
    default:
      completeIsochronous(slot, status: result)
    }
  }

  /// Takes the outcome of one piece; with the last one the URB is answered.
  mutating func completePiece(_ slot: Int, status: Int32) {
    let piece = slots[slot]
    let whole = piece.whole < 0 ? slot : Int(piece.whole)
    let urb = slots[whole]
    let descriptors = IsochronousPieces.descriptors(urb)
    for index in 0..<piece.packets {
      let outcome = device.packet(index, slot: slot)
      let number = piece.firstPacket + index
      var packet = IsochronousPacket.decode(UnsafeRawBufferPointer(descriptors), index: number)
      packet.actualLength = UInt32(max(0, min(outcome.actualLength, Int(packet.length))))
      packet.status = outcome.status
      packet.encode(into: descriptors, index: number)
    }
    if slots[whole].pieceStatus == 0 { slots[whole].pieceStatus = status }
    slots[whole].piecesInFlight -= 1
    if whole != slot { slots.give(slot) }
    if slots[whole].piecesInFlight == 0 {
      completeIsochronous(whole, status: slots[whole].pieceStatus)
    }
  }

  /// Cancels all transfers of the URB in `slot`.
  mutating func discard(_ slot: Int) {
    guard slots[slot].piecesInFlight > 0, !slots[slot].isInFlight else {
      device.discard(slot: slot)
      return
    }
    for piece in 0..<slots.capacity
    where slots[piece].isInFlight && Int(slots[piece].whole) == slot {
      device.discard(slot: piece)
    }
  }

  /// Hands the pieces over; the result is of the first one that was refused, or 0.
  private mutating func submitPieces(_ slot: Int, _ descriptors: UnsafeRawBufferPointer) -> Int32 {
    let urb = slots[slot]
    var buffer = urb.payload
    var first = 0
    while first < urb.packets {
      let count = min(USBFSTransfers.maximumPackets, urb.packets - first)
      let packets = UnsafeRawBufferPointer(
        rebasing: descriptors[
          first * IsochronousPacket.size..<(first + count) * IsochronousPacket.size])
      var length = 0
      for index in 0..<count {
        length += Int(IsochronousPacket.decode(packets, index: index).length)
      }
      var transfer = Transfer(
        type: .isochronous, endpointAddress: urb.endpointAddress, shortNotOK: false,
        zeroPacket: false, buffer: buffer, length: length)
      transfer.packets = packets
      transfer.noInterrupt = first + count < urb.packets
      let result = submit(transfer, firstPacket: first, packets: count, of: slot)
      guard result == 0 else { return result }
      buffer += length
      first += count
    }
    return 0
  }

  /// Hands one piece over, under the URB's own slot where it is the only one.
  private mutating func submit(
    _ transfer: Transfer, firstPacket: Int, packets: Int, of slot: Int
  ) -> Int32 {
    var piece = slot
    if packets < slots[slot].packets {
      guard let taken = slots.take(length: 0, byteLimit: .max) else {
        return URBStatus.outOfMemory
      }
      piece = taken
      slots[piece].type = .isochronous
      slots[piece].endpointAddress = transfer.endpointAddress
      slots[piece].packets = packets
      slots[piece].firstPacket = firstPacket
      slots[piece].whole = Int32(slot)
    }
    let result = device.submit(transfer, slot: piece)
    guard result == 0 else {
      if piece != slot { slots.give(piece) }
      return result
    }
    slots[piece].isInFlight = true
    slots[slot].piecesInFlight += 1
    inFlight += 1
    return 0
  }

  private mutating func completeIsochronous(_ slot: Int, status: Int32) {
    let (moved, errors, content) = IsochronousPieces.finish(slots[slot])
    count(endOf: slot, status: status, moved: moved, failedPackets: errors)
    var completion = ledger.complete(
      slot: slot, status: status, actualLength: Int32(truncatingIfNeeded: moved))
    completion.submit?.packets = Int32(truncatingIfNeeded: slots[slot].packets)
    completion.submit?.errorCount = Int32(truncatingIfNeeded: errors)
    queue(completion, slot: slot, content: content)
  }

  private func setOutcome(of urb: Slot) {
    let descriptors = IsochronousPieces.descriptors(urb)
    for index in 0..<urb.packets {
      var packet = IsochronousPacket.decode(UnsafeRawBufferPointer(descriptors), index: index)
      packet.actualLength = 0
      packet.status = URBStatus.notDone
      packet.encode(into: descriptors, index: index)
    }
  }
}
