// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import Testing
import USBIPWire

@Suite struct IsochronousPacketTests {
  private func isSound(_ packets: [(UInt32, UInt32)], length: Int, payload: Int = 3072) -> Bool {
    var array = SampleDevice.zeros(packets.count * IsochronousPacket.size)
    array.withUnsafeMutableBytes { buffer in
      for (index, packet) in packets.enumerated() {
        // What a submit says of actual_length and status means nothing.
        IsochronousPacket(
          offset: packet.0, length: packet.1, actualLength: .max, status: .min
        ).encode(into: buffer, index: index)
      }
    }
    return array.withUnsafeBytes {
      IsochronousPacket.isSound($0, packets: packets.count, length: length, payload: payload)
    }
  }

  @Test func readsAndWritesAsTheTableSays() {
    let array = bytes(
      """
      01 02 03 04  11 12 13 14  21 22 23 24  31 32 33 34
      41 42 43 44  51 52 53 54  61 62 63 64  ff ff ff ee
      """)
    let first = IsochronousPacket(
      offset: 0x0102_0304, length: 0x1112_1314, actualLength: 0x2122_2324, status: 0x3132_3334)
    let second = IsochronousPacket(
      offset: 0x4142_4344, length: 0x5152_5354, actualLength: 0x6162_6364,
      status: URBStatus.notDone)
    array.withUnsafeBytes {
      #expect(IsochronousPacket.decode($0, index: 0) == first)
      #expect(IsochronousPacket.decode($0, index: 1) == second)
    }
    var written = SampleDevice.zeros(32)
    written.withUnsafeMutableBytes {
      second.encode(into: $0, index: 1)
      first.encode(into: $0, index: 0)
    }
    #expect(hex(written) == hex(array))
  }

  @Test func takesPacketsInOrderWithGaps() {
    #expect(isSound([], length: 0))
    #expect(isSound([(0, 100), (100, 100), (200, 100)], length: 300))
    #expect(isSound([(0, 90), (100, 0), (200, 100)], length: 300))
    #expect(isSound([(10, 90), (128, 72)], length: 200))
    #expect(isSound([(0, 100), (0, 0), (100, 100)], length: 200))
    #expect(isSound([(0, 3072)], length: 3072))
  }

  @Test func refusesWhatLeavesTheBuffer() {
    #expect(!isSound([(0, 100), (100, 101)], length: 200))
    #expect(!isSound([(200, 1)], length: 200))
    #expect(!isSound([(201, 0)], length: 200))
    #expect(!isSound([(0xFFFF_FFFF, 1)], length: 200))
    #expect(!isSound([(0xFFFF_FFFF, 0xFFFF_FFFF)], length: 200, payload: .max))
    #expect(!isSound([(0xFFFF_FF9C, 100)], length: 16 << 20))
  }

  @Test func refusesOverlap() {
    #expect(!isSound([(0, 100), (99, 100)], length: 300))
    #expect(!isSound([(0, 100), (0, 100)], length: 300))
    #expect(!isSound([(100, 100), (0, 100)], length: 300))
    #expect(!isSound([(0, 200), (200, 0), (50, 10)], length: 300))
  }

  @Test func refusesMoreThanTheEndpointCarries() {
    #expect(isSound([(0, 1024)], length: 4096, payload: 1024))
    #expect(!isSound([(0, 1025)], length: 4096, payload: 1024))
  }
}
