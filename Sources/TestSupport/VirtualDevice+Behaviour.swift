// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import ExportSession
internal import USBIPWire
internal import USBModel

/// What the device does by itself.
extension VirtualDevice {
  /// Carries out every pending transfer that can be, in order per endpoint.
  func advance(_ state: inout State) {
    var waiting: Set<UInt8> = []
    var index = 0
    while index < state.pending.count {
      let pending = state.pending[index]
      let address = pending.transfer.endpointAddress
      // Two control transfers may go different ways on the same pipe.
      let pipe = address & 0x0F == 0 ? 0 : address
      if waiting.contains(pipe) || state.held.contains(pipe) {
        index += 1
        continue
      }
      guard let outcome = outcome(of: pending.transfer, &state) else {
        waiting.insert(pipe)
        index += 1
        continue
      }
      state.pending.remove(at: index)
      end(pending, outcome, &state)
    }
  }

  /// Ends the transfers of endpoints that `isHit` names, as the kernel kills them.
  func kill(_ state: inout State, where isHit: (UInt8) -> Bool) {
    for pending in state.pending where isHit(pending.transfer.endpointAddress) {
      end(pending, -2, [], &state)
    }
    state.pending.removeAll { isHit($0.transfer.endpointAddress) }
  }

  /// Queues the end of a transfer.
  func end(_ pending: Pending, _ status: Int32, _ data: [UInt8], _ state: inout State) {
    end(pending, Outcome(status: status, data: data, moved: data.count), &state)
  }

  private func end(_ pending: Pending, _ outcome: Outcome, _ state: inout State) {
    state.ended.append(
      Ended(
        pending: pending, status: outcome.status, data: outcome.data, actualLength: outcome.moved,
        packets: outcome.packets))
    ring()
  }

  private struct Outcome {
    var status: Int32 = 0
    var data: [UInt8] = []
    var moved: Int
    var packets: [TransferredPacket] = []
  }

  /// How a transfer ends now; nil while it waits.
  private func outcome(of transfer: Transfer, _ state: inout State) -> Outcome? {
    let address = transfer.endpointAddress
    if state.stalled.contains(address) { return Outcome(status: -32, moved: 0) }
    switch address {
    case 0x00, 0x80:
      return control(transfer, &state)
    case 0x01:
      state.messages.append(VirtualDevice.content(transfer, from: 0))
      return Outcome(moved: transfer.length)
    case 0x05:
      return Outcome(moved: transfer.length)
    case 0x81:
      guard !state.messages.isEmpty else { return nil }
      return read(state.messages.removeFirst(), transfer)
    case 0x82:
      guard !state.reports.isEmpty else { return nil }
      return read(state.reports.removeFirst(), transfer)
    case 0x83, 0x03:
      return isochronous(transfer, &state)
    case 0x84:
      return read(VirtualDevice.sevens(transfer.length), transfer)
    default:
      return Outcome(status: -2, moved: 0)
    }
  }

  /// Carries out one isochronous transfer; the data of a packet names packet and place.
  private func isochronous(_ transfer: Transfer, _ state: inout State) -> Outcome {
    var outcome = Outcome(moved: 0)
    let content = VirtualDevice.content(transfer, from: 0)
    outcome.data = [UInt8](repeating: 0xEE, count: transfer.length)
    var start = 0
    for index in 0..<transfer.packets.count / IsochronousPacket.size {
      let length = Int(IsochronousPacket.decode(transfer.packets, index: index).length)
      let isIn = transfer.endpointAddress & 0x80 != 0
      var packet = TransferredPacket(
        actualLength: isIn ? max(0, length - index % 4) : length, status: 0)
      if state.failingPackets.contains(index) {
        packet = TransferredPacket(actualLength: 0, status: -84)
      }
      if isIn {
        for place in 0..<packet.actualLength {
          outcome.data[start + place] = UInt8(truncatingIfNeeded: index &* 16 &+ place)
        }
      } else {
        state.isochronousOut.append(Array(content[start..<start + length]))
      }
      start += length
      outcome.moved += packet.actualLength
      outcome.packets.append(packet)
    }
    if transfer.endpointAddress & 0x80 == 0 { outcome.data = [] }
    return outcome
  }

  /// 0, 7, 14, … modulo 256.
  private static func sevens(_ count: Int) -> [UInt8] {
    let period = (0..<256).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    return [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      // SAFETY: each piece ends within the buffer's `count` bytes.
      for start in stride(from: 0, to: count, by: 256) {
        let piece = period.prefix(count - start)
        UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[start...])
          .copyBytes(from: piece)
      }
      initialized = count
    }
  }

  private func read(_ message: [UInt8], _ transfer: Transfer) -> Outcome {
    guard message.count <= transfer.length else {
      return Outcome(
        status: -75, data: Array(message.prefix(transfer.length)), moved: transfer.length)
    }
    let isShort = message.count < transfer.length && transfer.shortNotOK
    return Outcome(status: isShort ? -121 : 0, data: message, moved: message.count)
  }

  private func control(_ transfer: Transfer, _ state: inout State) -> Outcome {
    let stall = Outcome(status: -32, moved: 0)
    let bytes = UnsafeRawBufferPointer(start: transfer.buffer, count: transfer.length)
    guard let setup = SetupPacket(bytes: bytes) else { return stall }
    let length = Int(setup.length)
    switch (setup.requestType, setup.request) {
    case (0x80, 6) where setup.value == 0x0100:
      let data = Array(VirtualDevice.descriptorBytes.prefix(18).prefix(length))
      return Outcome(data: data, moved: data.count)
    case (0x40, 1):
      let data = VirtualDevice.content(transfer, from: SetupPacket.size).prefix(length)
      state.memory.replaceSubrange(0..<data.count, with: data)
      return Outcome(moved: data.count)
    case (0xC0, 1):
      let data = Array(state.memory.prefix(length))
      return Outcome(data: data, moved: data.count)
    default:
      return stall
    }
  }

  private static func content(_ transfer: Transfer, from offset: Int) -> [UInt8] {
    Array(
      UnsafeRawBufferPointer(start: transfer.buffer + offset, count: transfer.length - offset))
  }
}
