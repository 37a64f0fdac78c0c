// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import LinuxHost
internal import SessionControl
internal import USBCapture
internal import USBIPWire
internal import USBModel

/// Counting: each URB is seen twice, when it goes to the device and when its end is known.
extension URBPhase where Device: ~Copyable {
  /// Counts the URB of `slot`, whose payload is complete, once, however often it is tried.
  mutating func count(beginOf slot: Int) {
    guard !slots[slot].isBegun else { return }
    let isOwed = owesEnd(slots[slot])
    slots[slot].isBegun = true
    slots[slot].begun = now
    slots[slot].isWatched = isOwed
    if isOwed { watched += 1 }
    statistics.begin(slots[slot].endpointAddress, slots[slot].type)
    if capture != nil { record(submitOf: slots[slot]) }
  }

  /// Counts the end of the URB in `slot`, while its payload is still there.
  ///
  /// `status` is the device's own; for an isochronous URB the reply's content is made already.
  mutating func count(endOf slot: Int, status: Int32, moved: Int, failedPackets: Int = 0) {
    guard slots[slot].isBegun else { return }
    let urb = slots[slot]
    slots[slot].isBegun = false
    slots[slot].isWatched = false
    if urb.isWatched { watched -= 1 }
    statistics.end(
      urb.endpointAddress, status: status, moved: moved,
      // Those of a URB that was taken back did not fail.
      failedPackets: status == 0 ? failedPackets : 0,
      took: now &- urb.begun)
    if urb.isOverdue {
      statistics[urb.endpointAddress].isOverdue = false
      tell(.notice, "device ended a transfer at last", urb, status: "\(status)")
    }
    if capture != nil {
      record(endOf: urb, status: status, moved: moved, failedPackets: failedPackets)
    }
  }

  /// True where the device owes an end: what is sent to it, and requests.
  ///
  /// A read waits for what may never come, such as a key. Only from a disk nothing is read but the
  /// answer to a command.
  private func owesEnd(_ urb: Slot) -> Bool {
    switch urb.type {
    case .control: true
    case .isochronous: true
    case .interrupt: !urb.isIn
    case .bulk:
      !urb.isIn
        || endpoints.interfaceClass(owning: urb.endpointAddress) == ClassCode.massStorage
    }
  }

  /// Tells of watched URBs that are overdue, one line for each endpoint at a time.
  mutating func lookForOverdue() {
    guard watched > 0, now >= nextLook else { return }
    nextLook = now &+ UInt64(max(0, limits.lookInterval)) &* 1_000_000
    for slot in 0..<slots.capacity {
      let urb = slots[slot]
      guard urb.isTaken, urb.isWatched, !urb.isOverdue, now &- urb.begun >= overdueAfter,
        !statistics[urb.endpointAddress].isOverdue
      else { continue }
      slots[slot].isOverdue = true
      statistics[urb.endpointAddress].isOverdue = true
      statistics[urb.endpointAddress].overdue &+= 1
      tell(.warning, "device does not end a transfer", urb, status: "pending")
    }
  }

  private func tell(
    _ priority: SessionLog.Priority, _ sentence: StaticString, _ urb: Slot, status: String
  ) {
    let tenths = (now &- urb.begun) / 100_000_000
    SessionLog.write(
      priority, sentence,
      [
        "device": subject.busID, "endpoint": EndpointName.text(urb.endpointAddress),
        "direction": urb.isIn ? "IN" : "OUT", "transfer": "\(urb.type)",
        "seconds": "\(tenths / 10).\(tenths % 10)", "status": status, "peer": subject.peer,
      ])
  }

  private mutating func record(submitOf urb: Slot) {
    var event = usbEvent(.submit, of: urb)
    if urb.type == .control {
      event.setup = SetupPacket(
        bytes: UnsafeRawBufferPointer(
          start: urb.payload - SetupPacket.size, count: SetupPacket.size))
    }
    capture?.record(
      event, data: urb.payload, available: urb.length,
      packets: UnsafeRawBufferPointer(IsochronousPieces.descriptors(urb)))
    endBrokenCapture()
  }

  private mutating func record(endOf urb: Slot, status: Int32, moved: Int, failedPackets: Int) {
    var event = usbEvent(.complete, of: urb)
    event.status = status
    event.length = moved
    event.failedPackets = failedPackets
    // The reply's content: what came in, then the descriptors.
    let packets = UnsafeRawBufferPointer(
      start: urb.payload + (urb.isIn ? moved : 0), count: urb.packets * IsochronousPacket.size)
    capture?.record(event, data: urb.payload, available: moved, packets: packets)
    endBrokenCapture()
  }

  private func usbEvent(_ kind: USBEvent.Kind, of urb: Slot) -> USBEvent {
    var flags: UInt32 = urb.isIn ? 0x200 : 0
    if urb.shortNotOK { flags |= 0x01 }
    if urb.type == .isochronous { flags |= 0x02 }
    if urb.zeroPacket { flags |= 0x40 }
    return USBEvent(
      kind: kind, id: UInt64(urb.seqnum), transferType: urb.type,
      endpointAddress: urb.endpointAddress, bus: UInt16(truncatingIfNeeded: devid >> 16),
      device: UInt8(truncatingIfNeeded: devid), time: capture?.time(now) ?? 0,
      length: urb.length, flags: flags, packets: urb.type == .isochronous ? urb.packets : 0)
  }

  private mutating func endBrokenCapture() {
    if capture?.isBroken == true { endCapture() }
  }
}

/// How people name an endpoint.
enum EndpointName {
  /// `0x81`.
  static func text(_ address: UInt8) -> String {
    let digits = String(address, radix: 16)
    return "0x" + (digits.count == 1 ? "0" : "") + digits
  }
}
