// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import ExportSession
import TestSupport
import Testing
import USBIPWire
import USBModel

@Suite("URB phase: isochronous transfers")
struct IsochronousTests {
  /// Packets of `length` bytes with `gap` bytes behind each.
  private static func packets(_ count: Int, length: Int, gap: Int = 0) -> [IsochronousPacket] {
    (0..<count).map {
      IsochronousPacket(offset: UInt32($0 * (length + gap)), length: UInt32(length))
    }
  }

  private static func submit(
    _ seqnum: UInt32, _ peer: borrowing LoopbackPeer, isIn: Bool = true, length: Int, packets: Int
  ) -> Submit {
    Submit(
      seqnum: seqnum, devid: peer.devid, isIn: isIn, endpoint: 3, flags: .isochronousASAP,
      length: length, packets: Int32(packets))
  }

  /// What the device puts into packet `index` of a piece.
  private static func content(_ index: Int, length: Int) -> [UInt8] {
    (0..<length - index % 4).map { UInt8(truncatingIfNeeded: index &* 16 &+ $0) }
  }

  @Test(
    "IN data comes without gaps, the descriptors with the client's own offsets",
    arguments: [1, 5, 127, 128, 129, 1024])
  func input(count: Int) async throws {
    let end = try await withIsochronous { peer, _ in
      let length = 12
      let packets = IsochronousTests.packets(count, length: length, gap: 4)
      let submit = IsochronousTests.submit(7, peer, length: count * 16, packets: count)
      try peer.send(peer.encoded(submit, packets: packets))
      let answer = try peer.answer()
      // The device counts packets from 0 in each piece of 128.
      let data = (0..<count).flatMap { IsochronousTests.content($0 % 128, length: length) }
      #expect(
        answer.reply
          == .submit(
            SubmitReply(
              seqnum: 7, status: 0, actualLength: Int32(data.count), packets: Int32(count))))
      #expect(answer.data == data)
      #expect(
        answer.packets
          == packets.enumerated().map { index, packet in
            IsochronousPacket(
              offset: packet.offset, length: 12, actualLength: UInt32(12 - index % 128 % 4))
          })
    }
    #expect(end == .peerClosed)
  }

  @Test("OUT data reaches the device packet by packet, with and without gaps", arguments: [0, 5])
  func output(gap: Int) async throws {
    let end = try await withIsochronous { peer, harness in
      let count = 200
      let packets = IsochronousTests.packets(count, length: 9, gap: gap)
      let payload = pattern(count * (9 + gap))
      let submit = IsochronousTests.submit(
        8, peer, isIn: false, length: payload.count, packets: count)
      try peer.send(peer.encoded(submit, payload: payload, packets: packets))
      let answer = try peer.answer()
      #expect(
        answer.reply
          == .submit(
            SubmitReply(seqnum: 8, status: 0, actualLength: Int32(9 * count), packets: 200)))
      #expect(answer.packets.map(\.offset) == packets.map(\.offset))
      #expect(answer.packets.allSatisfy { $0.actualLength == 9 && $0.status == 0 })
      #expect(
        harness.device.isochronousOut
          == packets.map { Array(payload[Int($0.offset)..<Int($0.offset) + 9]) })
    }
    #expect(end == .peerClosed)
  }

  @Test("failed packets are counted and keep their status, the URB succeeds")
  func failedPackets() async throws {
    let end = try await withIsochronous { peer, harness in
      harness.device.failPackets([1, 3])
      let submit = IsochronousTests.submit(2, peer, length: 40, packets: 4)
      try peer.send(
        peer.encoded(submit, packets: IsochronousTests.packets(4, length: 10)))
      let answer = try peer.answer()
      let data =
        IsochronousTests.content(0, length: 10) + IsochronousTests.content(2, length: 10)
      #expect(
        answer.reply
          == .submit(
            SubmitReply(
              seqnum: 2, status: 0, actualLength: Int32(data.count), packets: 4, errorCount: 2)))
      #expect(answer.data == data)
      #expect(answer.packets.map(\.status) == [0, -84, 0, -84])
    }
    #expect(end == .peerClosed)
  }

  static let unsound: [[IsochronousPacket]] = [
    // Behind the buffer, by far behind it, overlapping, backwards, longer than the endpoint takes, and
    // a sum of offset and length that is 0 in 32 bits.
    [IsochronousPacket(offset: 0, length: 8), IsochronousPacket(offset: 30, length: 8)],
    [IsochronousPacket(offset: 0xFFFF_FFFF, length: 8), IsochronousPacket(offset: 0, length: 8)],
    [IsochronousPacket(offset: 0, length: 8), IsochronousPacket(offset: 4, length: 8)],
    [IsochronousPacket(offset: 8, length: 8), IsochronousPacket(offset: 0, length: 8)],
    [IsochronousPacket(offset: 0, length: 193), IsochronousPacket(offset: 0, length: 0)],
    [IsochronousPacket(offset: 0, length: 8), IsochronousPacket(offset: 0xFFFF_FFF8, length: 8)],
  ]

  @Test(
    "row 12: packets that make no sense are refused, and nothing of them reaches the device",
    arguments: unsound.indices, [true, false])
  func refused(index: Int, isIn: Bool) async throws {
    let packets = IsochronousTests.unsound[index]
    let end = try await withIsochronous { peer, harness in
      let before = harness.device.events.count
      let submit = IsochronousTests.submit(2, peer, isIn: isIn, length: 32, packets: 2)
      try peer.send(
        peer.encoded(submit, payload: isIn ? [] : pattern(32), packets: packets))
      let answer = try peer.answer()
      #expect(
        answer.reply
          == .submit(SubmitReply(seqnum: 2, status: URBStatus.invalid, packets: 2, errorCount: 2)))
      #expect(answer.data.isEmpty)
      #expect(answer.packets.map(\.status) == [URBStatus.notDone, URBStatus.notDone])
      #expect(harness.device.events.count == before)
      try peer.expectService()
    }
    #expect(end == .peerClosed)
  }

  @Test("no packets is nothing to do")
  func noPackets() async throws {
    let end = try await withIsochronous { peer, _ in
      try peer.send(
        peer.encoded(IsochronousTests.submit(2, peer, length: 64, packets: 0), packets: []))
      #expect(try peer.answer() == .submit(2, 0))
      try peer.expectService()
    }
    #expect(end == .peerClosed)
  }

  @Test(
    "row 11: fewer packets than none and more than 1024 end the session",
    arguments: [-1, 1025, Int32.max, .min])
  func counts(count: Int32) async throws {
    let end = try await withIsochronous { peer, _ in
      let submit = Submit(
        seqnum: 3, devid: peer.devid, isIn: true, endpoint: 3, length: 64, packets: count)
      try peer.send(peer.encoded(submit))
      #expect(try peer.receiveAll().isEmpty)
    }
    #expect(end == .violation(.packetCountOutOfRange(count)))
  }

  @Test(
    "row 13: what a submit says of its packets' outcome means nothing", arguments: [true, false])
  func outcomeInSubmit(isIn: Bool) async throws {
    let end = try await withIsochronous { peer, _ in
      let packets = [
        IsochronousPacket(offset: 0, length: 8, actualLength: 0xFFFF_FFFF, status: -71),
        IsochronousPacket(offset: 8, length: 8, actualLength: 7, status: .min),
      ]
      let submit = IsochronousTests.submit(2, peer, isIn: isIn, length: 16, packets: 2)
      try peer.send(peer.encoded(submit, payload: isIn ? [] : pattern(16), packets: packets))
      let answer = try peer.answer()
      // The device brings one byte less in its second IN packet.
      let last: UInt32 = isIn ? 7 : 8
      #expect(
        answer.reply
          == .submit(SubmitReply(seqnum: 2, status: 0, actualLength: Int32(8 + last), packets: 2)))
      #expect(answer.packets.map(\.actualLength) == [8, last])
      #expect(answer.packets.map(\.status) == [0, 0])
      try peer.expectService()
    }
    #expect(end == .peerClosed)
  }

  @Test("an unlink takes all pieces back", arguments: [1, 128, 300])
  func unlink(count: Int) async throws {
    let end = try await withIsochronous { peer, harness in
      harness.device.hold(0x83)
      let submit = IsochronousTests.submit(2, peer, length: count * 8, packets: count)
      try peer.send(
        peer.encoded(submit, packets: IsochronousTests.packets(count, length: 8)))
      try harness.device.waitForPending((count + 127) / 128)
      try peer.unlink(3, target: 2)
      #expect(try peer.answer() == .unlink(3, URBStatus.connectionReset))
      #expect(harness.device.pendingCount == 0)
      harness.device.release(0x83)
      try peer.submitIn(4, 4, length: 1)
      #expect(try peer.answer() == .submit(4, 0, 1, [0]))
    }
    #expect(end == .peerClosed)
  }

  @Test("a piece that is refused leaves its packets not done, the others count")
  func refusedPiece() async throws {
    let end = try await withIsochronous { peer, harness in
      harness.device.hold(0x83)
      harness.device.refuse([0, -28])
      let submit = IsochronousTests.submit(2, peer, length: 256 * 8, packets: 256)
      try peer.send(peer.encoded(submit, packets: IsochronousTests.packets(256, length: 8)))
      try harness.device.waitForPending(1)
      harness.device.release(0x83)
      let answer = try peer.answer()
      guard case .submit(let reply) = answer.reply else { throw LoopbackPeer.Failure.closed }
      #expect(reply.status == 0)
      #expect(reply.errorCount == 128)
      #expect(Int(reply.actualLength) == answer.data.count)
      #expect(answer.packets.prefix(128).allSatisfy { $0.status == 0 })
      #expect(answer.packets.suffix(128).allSatisfy { $0.status == URBStatus.notDone })
      // All refused: the URB fails with what usbfs said.
      harness.device.refuse([-28])
      try peer.send(
        peer.encoded(
          IsochronousTests.submit(3, peer, length: 16, packets: 2),
          packets: IsochronousTests.packets(2, length: 8)))
      let refused = try peer.answer()
      #expect(
        refused.reply
          == .submit(SubmitReply(seqnum: 3, status: -28, packets: 2, errorCount: 2)))
    }
    #expect(end == .peerClosed)
  }

  @Test("a new altsetting ends isochronous transfers too")
  func altsetting() async throws {
    let end = try await withIsochronous { peer, harness in
      harness.device.hold(0x83)
      let submit = IsochronousTests.submit(2, peer, length: 16, packets: 2)
      try peer.send(peer.encoded(submit, packets: IsochronousTests.packets(2, length: 8)))
      try harness.device.waitForPending(1)
      try peer.submitControl(3, SetupPacket(requestType: 1, request: 11, value: 0))
      let ended = try peer.answer()
      #expect(
        ended.reply
          == .submit(
            SubmitReply(seqnum: 2, status: URBStatus.shutdown, packets: 2, errorCount: 2)))
      #expect(try peer.answer() == .submit(3, 0))
    }
    #expect(end == .peerClosed)
  }

  @Test("pieces return their slots: many long URBs in few slots")
  func slots() async throws {
    var limits = URBPhaseLimits()
    limits.slots = 12
    let end = try await withIsochronous(limits: limits) { peer, _ in
      var bytes: [UInt8] = []
      for seqnum in 10..<60 as Range<UInt32> {
        let submit = IsochronousTests.submit(seqnum, peer, length: 1024, packets: 1024)
        bytes += peer.encoded(submit, packets: IsochronousTests.packets(1024, length: 1))
      }
      let raw = peer.rawValue
      BackgroundThread.start { [bytes] in writeAll(raw, bytes) }
      for seqnum in 10..<60 as Range<UInt32> {
        let answer = try peer.answer()
        guard case .submit(let reply) = answer.reply else { throw LoopbackPeer.Failure.closed }
        #expect(reply.seqnum == seqnum)
        #expect(answer.packets.count == 1024)
      }
    }
    #expect(end == .peerClosed)
  }
}
