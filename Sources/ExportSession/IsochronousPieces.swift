// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import LinuxHost
internal import USBIPWire

/// How isochronous data lies in a slot, and how it is cut into what usbfs takes at once.
///
/// Behind the header come the data, as long as the transfer, and the packet descriptors in the form
/// of the wire. For usbfs the data has no gaps; for the client it may have, and it wants its own
/// offsets back.
enum IsochronousPieces {
  /// Pieces of a URB with so many packets.
  static func count(packets: Int) -> Int {
    (packets + USBFSTransfers.maximumPackets - 1) / USBFSTransfers.maximumPackets
  }

  /// The descriptors of the URB in `slot`.
  static func descriptors(_ slot: Slot) -> UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(
      start: slot.payload + slot.length, count: slot.packets * IsochronousPacket.size)
  }

  /// Moves the data of an OUT transfer together, as usbfs wants it; sound descriptors never overlap.
  static func closeGaps(_ slot: Slot) {
    let descriptors = UnsafeRawBufferPointer(IsochronousPieces.descriptors(slot))
    var end = 0
    for index in 0..<slot.packets {
      let packet = IsochronousPacket.decode(descriptors, index: index)
      move(slot, from: Int(packet.offset), to: end, Int(packet.length))
      end += Int(packet.length)
    }
  }

  /// Makes the reply's content in place: the bytes that came, without gaps, then the descriptors.
  ///
  /// The result is what the header of the reply says, and the length of the content.
  static func finish(_ slot: Slot) -> (moved: Int, errors: Int, content: Int) {
    let source = UnsafeRawBufferPointer(descriptors(slot))
    var start = 0
    var moved = 0
    for index in 0..<slot.packets {
      let packet = IsochronousPacket.decode(source, index: index)
      if slot.isIn { move(slot, from: start, to: moved, Int(packet.actualLength)) }
      start += Int(packet.length)
      moved += Int(packet.actualLength)
    }
    let data = slot.isIn ? moved : 0
    let target = UnsafeMutableRawBufferPointer(
      start: slot.payload + data, count: source.count)
    var errors = 0
    // The target begins at or before the source: what is overwritten has been read.
    for index in 0..<slot.packets {
      let packet = IsochronousPacket.decode(source, index: index)
      if packet.status != 0 { errors += 1 }
      packet.encode(into: target, index: index)
    }
    return (moved, errors, data + source.count)
  }

  private static func move(_ slot: Slot, from source: Int, to target: Int, _ length: Int) {
    guard source != target, length > 0 else { return }
    // SAFETY: both lie within the data, whose length the descriptors were checked against; the
    // ranges may overlap.
    (slot.payload + target).copyMemory(from: slot.payload + source, byteCount: length)
  }
}
