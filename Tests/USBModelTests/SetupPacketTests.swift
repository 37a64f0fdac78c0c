// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import Testing
import USBModel

@Suite struct SetupPacketTests {
  private let vector: [UInt8] = [0x81, 0x12, 0x23, 0x34, 0x45, 0x56, 0x67, 0x78]

  @Test func readsLittleEndian() throws {
    let packet = try #require(vector.withUnsafeBytes { SetupPacket(bytes: $0) })
    #expect(
      packet
        == SetupPacket(
          requestType: 0x81, request: 0x12, value: 0x3423, index: 0x5645, length: 0x7867))
    var written = [UInt8](repeating: 0xEE, count: 9)
    written.withUnsafeMutableBytes { packet.encode(into: $0) }
    #expect(written == vector + [0xEE])
  }

  @Test(arguments: 0..<8) func needsEightBytes(count: Int) {
    #expect(vector.prefix(count).withUnsafeBytes { SetupPacket(bytes: $0) } == nil)
  }

  @Test func hasADirectionOnlyWithData() {
    #expect(SetupPacket(requestType: 0x80, request: 6, length: 1).isIn)
    #expect(!SetupPacket(requestType: 0x80, request: 6, length: 0).isIn)
    #expect(!SetupPacket(requestType: 0x7F, request: 6, length: 9).isIn)
  }

  /// requestType, request, value, index and what it is.
  private static let special: [(UInt8, UInt8, UInt16, UInt16, SpecialRequest?)] = [
    (0x00, 0x05, 0x0012, 0, .setAddress),
    (0x00, 0x09, 0x0002, 0, .setConfiguration(value: 2)),
    (0x00, 0x09, 0x0000, 0, .setConfiguration(value: 0)),
    (0x00, 0x09, 0x00FF, 0, .setConfiguration(value: 255)),
    (0x00, 0x09, 0x0101, 0, .malformed),
    (0x01, 0x0B, 0x0003, 0x0004, .setInterface(interface: 4, alternate: 3)),
    (0x01, 0x0B, 0x0103, 0x0004, .malformed),
    (0x01, 0x0B, 0x0003, 0x0104, .malformed),
    (0x02, 0x01, 0x0000, 0x0081, .clearHalt(endpointAddress: 0x81)),
    (0x02, 0x01, 0x0000, 0x000F, .clearHalt(endpointAddress: 0x0F)),
    (0x02, 0x01, 0x0000, 0x0000, nil),
    (0x02, 0x01, 0x0000, 0x0080, nil),
    (0x02, 0x01, 0x0000, 0x0091, .malformed),
    (0x02, 0x01, 0x0000, 0x0181, .malformed),
    (0x02, 0x01, 0x0001, 0x0081, nil),
    (0x02, 0x03, 0x0000, 0x0081, nil),
    (0x23, 0x03, 0x0004, 0x0001, .portReset),
    (0x23, 0x03, 0x0008, 0x0001, nil),
    (0x23, 0x01, 0x0004, 0x0001, nil),
    (0x00, 0x03, 0x0002, 0x0100, .testMode),
    (0x00, 0x01, 0x0002, 0x0000, nil),
    (0x00, 0x03, 0x0001, 0x0000, nil),
    (0x00, 0x03, 0x002F, 0x0000, nil),
    (0x00, 0x03, 0x0030, 0x0000, .linkPower),
    (0x00, 0x01, 0x0031, 0x0000, .linkPower),
    (0x00, 0x03, 0x0032, 0x0000, .linkPower),
    (0x00, 0x03, 0x0033, 0x0000, nil),
    (0x80, 0x06, 0x0100, 0x0000, nil),
    (0x00, 0x30, 0x0000, 0x0000, nil),
    (0x21, 0x09, 0x0002, 0x0000, nil),
    (0x40, 0x09, 0x0002, 0x0000, nil),
    (0x80, 0x09, 0x0002, 0x0000, nil),
  ]

  @Test(arguments: special.indices) func recognisesWhatTheHostMustDoItself(row: Int) {
    let (requestType, request, value, index, expected) = Self.special[row]
    let packet = SetupPacket(requestType: requestType, request: request, value: value, index: index)
    #expect(packet.specialRequest == expected)
  }
}
