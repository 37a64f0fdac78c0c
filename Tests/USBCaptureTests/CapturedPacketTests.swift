// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import Testing
import USBModel

@testable import USBCapture

/// Each block to the byte, as the drafts and kernel headers have it.
@Suite struct CapturedPacketTests {
  /// 2026-11-24 06:07:08.123456789 UTC.
  static let time: UInt64 = 1_795_500_428_123_456_789

  /// The whole block of an event.
  static func block(
    _ event: USBEvent, data: [UInt8] = [], snapLength: Int = 65_536,
    packets: [(status: Int32, offset: UInt32, length: UInt32)] = []
  ) -> [UInt8] {
    let packet = CapturedPacket(event, available: data.count, snapLength: snapLength)
    var front = [UInt8](repeating: 0xEE, count: CapturedPacket.frontLength)
    front.withUnsafeMutableBytes { packet.encodeFront(into: $0) }
    var descriptors = [UInt8](
      repeating: 0xEE, count: packet.descriptors * CapturedPacket.descriptorLength)
    descriptors.withUnsafeMutableBytes { array in
      for (index, one) in packets.prefix(packet.descriptors).enumerated() {
        CapturedPacket.encodeDescriptor(
          status: one.status, offset: one.offset, length: one.length, at: index, into: array)
      }
    }
    var end = [UInt8](repeating: 0xEE, count: CapturedPacket.maximumEndLength)
    let endLength = end.withUnsafeMutableBytes { packet.encodeEnd(into: $0) }
    let block = front + descriptors + data.prefix(packet.dataLength) + end.prefix(endLength)
    #expect(block.count == packet.blockLength)
    return block
  }

  static func bulk(_ kind: USBEvent.Kind, _ address: UInt8, length: Int) -> USBEvent {
    USBEvent(
      kind: kind, id: 0x1122_3344, transferType: .bulk, endpointAddress: address, bus: 0x0102,
      device: 17, time: time, length: length, flags: 0x0200)
  }

  @Test func aSubmittedRead() {
    #expect(
      hex(Self.block(Self.bulk(.submit, 0x81, length: 512))) == """
        06 00 00 00 60 00 00 00 00 00 00 00 20 e6 ea 18
        15 45 5c 5c 40 00 00 00 40 00 00 00 44 33 22 11
        00 00 00 00 53 03 81 11 02 01 2d 3c 8c 29 05 6b
        00 00 00 00 40 e2 01 00 8d ff ff ff 00 02 00 00
        00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
        00 00 00 00 00 02 00 00 00 00 00 00 60 00 00 00
        """)
  }

  @Test func aReadThatEndedHasItsDataAndPadding() {
    var event = Self.bulk(.complete, 0x81, length: 5)
    event.status = 0
    #expect(
      hex(Self.block(event, data: [1, 2, 3, 4, 5])) == """
        06 00 00 00 68 00 00 00 00 00 00 00 20 e6 ea 18
        15 45 5c 5c 45 00 00 00 45 00 00 00 44 33 22 11
        00 00 00 00 43 03 81 11 02 01 2d 00 8c 29 05 6b
        00 00 00 00 40 e2 01 00 00 00 00 00 05 00 00 00
        05 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
        00 00 00 00 00 02 00 00 00 00 00 00 01 02 03 04
        05 00 00 00 68 00 00 00
        """)
  }

  @Test func aRequestHasItsSetupPacket() {
    let event = USBEvent(
      kind: .submit, id: 7, transferType: .control, endpointAddress: 0x80, bus: 3, device: 17,
      time: Self.time, length: 18,
      setup: SetupPacket(requestType: 0x80, request: 6, value: 0x0100, index: 0x0304, length: 18))
    #expect(
      hex(Self.block(event).dropFirst(28)) == """
        07 00 00 00 00 00 00 00 53 02 80 11 03 00 00 3c
        8c 29 05 6b 00 00 00 00 40 e2 01 00 8d ff ff ff
        12 00 00 00 00 00 00 00 80 06 00 01 04 03 12 00
        00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
        60 00 00 00
        """)
  }

  @Test func isochronousPacketsComeBeforeTheData() {
    var event = USBEvent(
      kind: .complete, id: 9, transferType: .isochronous, endpointAddress: 0x83, bus: 3, device: 17,
      time: Self.time, status: 0, length: 3, packets: 2, failedPackets: 1)
    event.flags = 2
    let block = Self.block(
      event, data: [0xA1, 0xA2, 0xA3], packets: [(0, 0, 3), (-84, 3, 0)])
    #expect(
      hex(block.dropFirst(28)) == """
        09 00 00 00 00 00 00 00 43 00 83 11 03 00 2d 00
        8c 29 05 6b 00 00 00 00 40 e2 01 00 00 00 00 00
        03 00 00 00 23 00 00 00 01 00 00 00 02 00 00 00
        00 00 00 00 00 00 00 00 02 00 00 00 02 00 00 00
        00 00 00 00 00 00 00 00 03 00 00 00 00 00 00 00
        ac ff ff ff 03 00 00 00 00 00 00 00 00 00 00 00
        a1 a2 a3 00 84 00 00 00
        """)
    #expect(block.count == 0x84)
  }

  @Test func dataIsCutAtTheSnapLength() {
    var event = Self.bulk(.submit, 0x02, length: 100)
    event.flags = 0
    let data = [UInt8](0..<100)
    let block = Self.block(event, data: data, snapLength: 6)
    #expect(Array(block[20..<28]) == [64 + 6, 0, 0, 0, 64 + 100, 0, 0, 0])
    #expect(Array(block[92..<98]) == [0, 1, 2, 3, 4, 5])
    // len_urb and len_cap.
    #expect(Array(block[60..<68]) == [100, 0, 0, 0, 6, 0, 0, 0])
    #expect(Self.block(event, data: data, snapLength: 0).count == 96)
  }

  @Test func dataThatDoesNotGoThatWayIsLeftOut() {
    let written = Self.block(Self.bulk(.complete, 0x02, length: 100), data: [1, 2, 3])
    #expect(written[28 + 15] == UInt8(ascii: ">"))
    #expect(written.count == 96)
    let empty = Self.block(Self.bulk(.submit, 0x02, length: 0))
    #expect(empty[28 + 15] == 0, "as usbmon has it: nothing was to be had")
  }

  @Test func noMoreThan128DescriptorsAreKept() {
    let event = USBEvent(
      kind: .submit, id: 1, transferType: .isochronous, endpointAddress: 0x83, bus: 1, device: 1,
      time: 0, length: 1024, packets: 1024)
    let packet = CapturedPacket(event, available: 0, snapLength: 0)
    #expect(packet.descriptors == 128)
    #expect(packet.blockLength == 28 + 64 + 128 * 16 + 4)
    #expect(packet.blockLength <= CapturedPacket.blockOverhead)
  }
}
