// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import USBIPWire
internal import USBModel

/// Answers of usbfs that mean something else to a client.
enum URBRefusal {
  /// EHOSTUNREACH: usbfs's answer while the device has no configuration.
  static let unconfigured: Int32 = -113
}

/// Transfers: to the device and back.
extension URBPhase where Device: ~Copyable {
  /// Carries out the URB of `slot`, whose payload is complete.
  mutating func start(_ slot: Int, waitingSince: ContinuousClock.Instant? = nil) {
    count(beginOf: slot)
    let urb = slots[slot]
    if urb.type == .control, let request = specialRequest(of: urb) {
      perform(request, for: slot)
      return
    }
    guard urb.type != .isochronous else {
      startIsochronous(slot)
      return
    }
    let isControl = urb.type == .control
    let transfer = Transfer(
      type: urb.type, endpointAddress: urb.endpointAddress, shortNotOK: urb.shortNotOK,
      zeroPacket: urb.zeroPacket,
      buffer: isControl ? urb.payload - SetupPacket.size : urb.payload,
      length: isControl ? urb.length + SetupPacket.size : urb.length)
    let result = device.submit(transfer, slot: slot)
    switch result {
    case 0:
      ledger.markSubmitted(slot: slot)
      slots[slot].isInFlight = true
      inFlight += 1
    case URBStatus.noDevice, URBStatus.shutdown:
      complete(slot, status: URBStatus.shutdown, actualLength: 0)
      end = .deviceGone(result)
    case URBStatus.outOfMemory:
      waitForMemory(slot, since: waitingSince ?? .now)
    default:
      complete(slot, status: refusal(result, isControl: isControl), actualLength: 0)
    }
  }

  /// Takes all ended transfers and queues their replies.
  mutating func reapAll() {
    // Without a transfer the device may still have to say that it is gone.
    repeat {
      guard end == nil else { return }
      switch device.reap() {
      case .completed(let slot, let status, let actualLength):
        inFlight -= 1
        slots[slot].isInFlight = false
        if slots[slot].type == .isochronous {
          completePiece(slot, status: status)
        } else {
          complete(slot, status: status, actualLength: actualLength)
        }
      case .nothing:
        return
      case .failed(let code):
        end = .deviceGone(code)
      }
    } while inFlight > 0
  }

  /// Queues what the ledger says about the end of the URB in `slot`; the slot rests when it is sent.
  mutating func complete(_ slot: Int, status: Int32, actualLength: Int) {
    let urb = slots[slot]
    let moved = max(0, min(actualLength, urb.length))
    count(endOf: slot, status: status, moved: moved)
    let completion = ledger.complete(
      slot: slot, status: status, actualLength: Int32(truncatingIfNeeded: moved))
    queue(completion, slot: slot, content: urb.isIn ? moved : 0)
  }

  /// Queues the replies of one URB; `content` bytes of its payload go with RET_SUBMIT.
  mutating func queue(_ completion: Completion, slot: Int, content: Int) {
    if let reply = completion.submit {
      let memory = slots[slot].memory
      reply.encode(
        into: UnsafeMutableRawBufferPointer(start: memory, count: BufferPool.headerLength))
      replies.append(memory, length: BufferPool.headerLength + content, slot: slot)
    } else {
      slots.give(slot)
    }
    completion.unlink?.encode(into: replies.appendHeader())
    while completion.hasRepeatedUnlinks, let reply = ledger.takeRepeatedUnlink() {
      reply.encode(into: replies.appendHeader())
    }
  }

  /// What the client is told of a submit that usbfs refused.
  private func refusal(_ result: Int32, isControl: Bool) -> Int32 {
    if result == URBRefusal.unconfigured { return URBStatus.stall }
    // usbfs checks the recipient of a control request (check_ctrlrecip); a device would stall.
    if isControl, result == URBStatus.noEntry || result == URBStatus.invalid {
      return URBStatus.stall
    }
    return result
  }

  private mutating func waitForMemory(_ slot: Int, since: ContinuousClock.Instant) {
    guard inFlight > 0, since.duration(to: .now) < limits.memoryPatience else {
      complete(slot, status: URBStatus.outOfMemory, actualLength: 0)
      return
    }
    hold = .memory(slot: slot, since: since)
  }

  private func specialRequest(of urb: Slot) -> SpecialRequest? {
    // Only the default pipe reaches the device's own state; other control endpoints are the
    // interface's business.
    guard urb.endpointAddress & 0x0F == 0 else { return nil }
    let bytes = UnsafeRawBufferPointer(
      start: urb.payload - SetupPacket.size, count: SetupPacket.size)
    return SetupPacket(bytes: bytes)?.specialRequest
  }
}
