// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import Testing
import USBIPWire
import USBModel

@Suite struct URBHeaderTests {
  private func decode(_ header: [UInt8], devid: UInt32) throws -> URBCommand {
    try header.span.withUnsafeBytes { try URBCommand.decode($0, devid: devid) }
  }

  /// Encodes in front of a guard byte.
  private func encoded(_ encode: (UnsafeMutableRawBufferPointer) -> Void) -> String {
    var buffer = [UInt8](repeating: 0xEE, count: 49)
    buffer.withUnsafeMutableBytes { encode($0) }
    #expect(buffer[48] == 0xEE)
    return hex(buffer.prefix(48))
  }

  private let submit = bytes(
    """
    00 00 00 01  # command
    11 12 13 14  # seqnum
    21 22 23 24  # devid
    00 00 00 01  # direction
    00 00 00 0f  # ep
    00 00 00 c3  # transfer_flags
    00 01 02 03  # transfer_buffer_length
    31 32 33 34  # start_frame
    41 42 43 44  # number_of_packets
    51 52 53 54  # interval
    61 62 63 64 65 66 67 68
    """)

  private let submitValue = Submit(
    seqnum: 0x1112_1314, devid: 0x2122_2324, isIn: true, endpoint: 15,
    flags: [.shortNotOK, .isochronousASAP, .zeroPacket, .noInterrupt], length: 0x0001_0203,
    startFrame: 0x3132_3334, packets: 0x4142_4344, interval: 0x5152_5354,
    setup: SetupPacket(
      requestType: 0x61, request: 0x62, value: 0x6463, index: 0x6665, length: 0x6867))

  private let unlink = bytes(
    """
    00 00 00 02  # command
    11 12 13 14  # seqnum
    21 22 23 24  # devid
    00 00 00 00  # direction
    00 00 00 00  # ep
    31 32 33 34  # unlink_seqnum
    00 00 00 00 00 00 00 00 00 00 00 00
    00 00 00 00 00 00 00 00 00 00 00 00
    """)

  @Test func readsSubmit() throws {
    #expect(try decode(submit, devid: 0x2122_2324) == .submit(submitValue))
  }

  @Test func writesSubmit() { #expect(encoded(submitValue.encode) == hex(submit)) }

  @Test func readsAndWritesUnlink() throws {
    let value = Unlink(seqnum: 0x1112_1314, devid: 0x2122_2324, target: 0x3132_3334)
    #expect(try decode(unlink, devid: 0x2122_2324) == .unlink(value))
    #expect(encoded(value.encode) == hex(unlink))
  }

  @Test func readsNegativeNumbers() throws {
    var header = submit
    header.replaceSubrange(28..<40, with: [UInt8](repeating: 0xFF, count: 12))
    header.replaceSubrange(12..<16, with: bytes("00 00 00 00"))
    guard case .submit(let value) = try decode(header, devid: 0x2122_2324) else {
      Issue.record("no submit")
      return
    }
    #expect((value.startFrame, value.packets, value.interval) == (-1, -1, -1))
    #expect(!value.isIn)
    #expect(value.payloadLength == 0x0001_0203)
    #expect(value.echoedPackets == -1)
    #expect(submitValue.payloadLength == 0)
    #expect(submitValue.echoedPackets == 0)
  }

  @Test func writesAndReadsSubmitReply() throws {
    let reply = SubmitReply(
      seqnum: 0x1112_1314, status: -0x0102_0304, actualLength: 0x2122_2324,
      startFrame: 0x3132_3334, packets: 0x4142_4344, errorCount: 0x5152_5354)
    let expected = bytes(
      """
      00 00 00 03  # command
      11 12 13 14  # seqnum
      00 00 00 00 00 00 00 00 00 00 00 00
      fe fd fc fc  # status
      21 22 23 24  # actual_length
      31 32 33 34  # start_frame
      41 42 43 44  # number_of_packets
      51 52 53 54  # error_count
      00 00 00 00 00 00 00 00
      """)
    #expect(encoded(reply.encode) == hex(expected))
    #expect(try expected.span.withUnsafeBytes { try URBReply.decode($0) } == .submit(reply))
  }

  @Test func writesAndReadsUnlinkReply() throws {
    let reply = UnlinkReply(seqnum: 0x1112_1314, status: URBStatus.connectionReset)
    let expected = bytes(
      """
      00 00 00 04  # command
      11 12 13 14  # seqnum
      00 00 00 00 00 00 00 00 00 00 00 00
      ff ff ff 98  # status, -104
      00 00 00 00 00 00 00 00 00 00 00 00
      00 00 00 00 00 00 00 00 00 00 00 00
      """)
    #expect(encoded(reply.encode) == hex(expected))
    #expect(try expected.span.withUnsafeBytes { try URBReply.decode($0) } == .unlink(reply))
  }

  @Test(arguments: [UInt8(0), 1, 2, 5, 255]) func takesOnlyRepliesForReplies(command: UInt8) {
    let header = [0, 0, 0, command] + SampleDevice.zeros(44)
    #expect(throws: WireError.unknownCommand(UInt32(command))) {
      try header.span.withUnsafeBytes { try URBReply.decode($0) }
    }
  }

  @Test func answersWithoutData() {
    var submit = submitValue
    #expect(
      SubmitReply(answering: submit, status: URBStatus.noEntry)
        == SubmitReply(seqnum: 0x1112_1314, status: -2))
    submit.packets = -1
    #expect(SubmitReply(answering: submit, status: -32).packets == -1)
  }
}
