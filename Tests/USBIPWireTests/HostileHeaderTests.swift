// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import Testing
import USBIPWire
import USBModel

/// A peer that follows no rule: each header that must end the connection, and those that must not.
@Suite struct HostileHeaderTests {
  private static let devid: UInt32 = 0x0003_0007

  /// A submit of 512 bytes OUT to endpoint 2, and the place and bytes of a change to it.
  private static func header(_ place: Int = 0, _ change: String = "") -> [UInt8] {
    var header =
      bytes("00 00 00 01 00 00 00 05 00 03 00 07 00 00 00 00 00 00 00 02 00 00 00 00 00 00 02 00")
      + SampleDevice.zeros(20)
    header.replaceSubrange(place..<place + bytes(change).count, with: bytes(change))
    return header
  }

  private static func decode(_ header: [UInt8]) throws -> URBCommand {
    try header.span.withUnsafeBytes { try URBCommand.decode($0, devid: devid) }
  }

  /// Rows 4 to 8: what closes.
  static let closing: [(place: Int, change: String, error: WireError)] = [
    (0, "00 00 00 00", .unknownCommand(0)),
    (0, "00 00 00 03", .unknownCommand(3)),
    (0, "00 00 00 04", .unknownCommand(4)),
    (0, "00 00 00 05", .unknownCommand(5)),
    (0, "01 00 00 00", .unknownCommand(0x0100_0000)),
    (0, "80 00 00 01", .unknownCommand(0x8000_0001)),
    (8, "00 03 00 08", .deviceMismatch(expected: devid, found: 0x0003_0008)),
    (8, "00 00 00 00", .deviceMismatch(expected: devid, found: 0)),
    (16, "00 00 00 10", .endpointOutOfRange(16)),
    (16, "00 00 00 81", .endpointOutOfRange(0x81)),
    (16, "01 00 00 02", .endpointOutOfRange(0x0100_0002)),
    (16, "ff ff ff ff", .endpointOutOfRange(0xFFFF_FFFF)),
    (12, "00 00 00 02", .directionOutOfRange(2)),
    (12, "01 00 00 00", .directionOutOfRange(0x0100_0000)),
    (12, "ff ff ff ff", .directionOutOfRange(0xFFFF_FFFF)),
    (24, "ff ff ff ff", .lengthOutOfRange(-1)),
    (24, "80 00 00 00", .lengthOutOfRange(.min)),
    (24, "7f ff ff ff", .lengthOutOfRange(.max)),
    (24, "01 00 00 01", .lengthOutOfRange(16 << 20 | 1)),
  ]

  @Test(arguments: closing.indices) func closes(row: Int) {
    let (place, change, error) = Self.closing[row]
    #expect(throws: error) { try Self.decode(Self.header(place, change)) }
  }

  @Test func checksTheDeviceOfAnUnlinkToo() {
    var header = Self.header(0, "00 00 00 02")
    #expect(throws: Never.self) { try Self.decode(header) }
    header[11] = 8
    #expect(throws: WireError.deviceMismatch(expected: Self.devid, found: 0x0003_0008)) {
      try Self.decode(header)
    }
  }

  @Test func takesTheLargestTransfer() throws {
    guard case .submit(let submit) = try Self.decode(Self.header(24, "01 00 00 00")) else {
      Issue.record("no submit")
      return
    }
    #expect(submit.length == WireLimits.maximumTransferLength)
  }

  /// Row 21: FREE_BUFFER, DIR_IN and the DMA flags must not reach a kernel.
  @Test func masksFlags() throws {
    guard case .submit(let submit) = try Self.decode(Self.header(20, "ff ff ff ff")) else {
      Issue.record("no submit")
      return
    }
    #expect(submit.flags.rawValue == 0x00C3)
    let masked = TransferType.allCases.flatMap { type in
      [false, true].map { submit.flags.masked(for: type, isIn: $0).rawValue }
    }
    // Control, isochronous, bulk, interrupt; OUT before IN.
    #expect(masked == [0x80, 0x81, 0x82, 0x82, 0xC0, 0x81, 0xC0, 0x81])
  }

  /// Row 22, and 11 as far as the endpoint is not known to be isochronous.
  @Test(arguments: [28, 32, 36]) func leavesAloneWhatMeansNothing(place: Int) {
    for change in ["ff ff ff ff", "7f ff ff ff", "80 00 00 00"] {
      #expect(throws: Never.self) { try Self.decode(Self.header(place, change)) }
    }
  }

  /// Row 24: a header is read only when it is whole, wherever the pieces end.
  @Test func readsUnalignedHeaders() throws {
    let expected = try Self.decode(Self.header())
    for shift in 1..<9 {
      let shifted = SampleDevice.zeros(shift) + Self.header()
      let found = try shifted.span.withUnsafeBytes {
        try URBCommand.decode(UnsafeRawBufferPointer(rebasing: $0[shift...]), devid: Self.devid)
      }
      #expect(found == expected)
    }
  }
}
