// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import Testing

@testable import USBCapture

/// Bytes as lines of 16 two-digit numbers.
func hex(_ bytes: some Sequence<UInt8>) -> String {
  var text = ""
  for (place, byte) in bytes.enumerated() {
    text += place == 0 ? "" : place.isMultiple(of: 16) ? "\n" : " "
    text += (byte < 16 ? "0" : "") + String(byte, radix: 16)
  }
  return text
}

/// What a file begins and ends with.
@Suite struct CaptureFileTests {
  @Test func opening() {
    #expect(
      hex(
        CaptureFile.opening(
          application: "devconfig", interface: "1-1.2", description: "Disk", snapLength: 65_536))
          == """
          0a 0d 0d 0a 30 00 00 00 4d 3c 2b 1a 01 00 00 00
          ff ff ff ff ff ff ff ff 04 00 09 00 64 65 76 63
          6f 6e 66 69 67 00 00 00 00 00 00 00 30 00 00 00
          01 00 00 00 34 00 00 00 dc 00 00 00 40 08 01 00
          02 00 05 00 31 2d 31 2e 32 00 00 00 03 00 04 00
          44 69 73 6b 09 00 01 00 09 00 00 00 00 00 00 00
          34 00 00 00
          """)
  }

  @Test func closing() {
    #expect(
      hex(CaptureFile.closing(time: 0x0102_0304_0506_0708, recorded: 0x1000, dropped: 2)) == """
        05 00 00 00 34 00 00 00 00 00 00 00 04 03 02 01
        08 07 06 05 04 00 08 00 02 10 00 00 00 00 00 00
        05 00 08 00 02 00 00 00 00 00 00 00 00 00 00 00
        34 00 00 00
        """)
  }

  @Test func aLongNameIsCut() {
    let opening = CaptureFile.opening(
      application: "a", interface: "b", description: String(repeating: "x", count: 70_000),
      snapLength: 0)
    #expect(opening.count < 400)
    #expect(opening.count.isMultiple(of: 4))
  }

  @Test func theTallyCountsPacketsAndReadsWhatWasDropped() {
    var tally = CaptureTally()
    let event = CapturedPacketTests.block(CapturedPacketTests.bulk(.submit, 0x81, length: 8))
    let blocks = [
      CaptureFile.opening(application: "a", interface: "b", description: "c", snapLength: 1),
      event, event, [], [6], [5, 0, 0, 0, 12, 0, 0, 0, 12, 0, 0, 0],
    ]
    for block in blocks { block.withUnsafeBytes { tally.take($0) } }
    #expect(tally.packets == 2)
    #expect(tally.dropped == nil)
    CaptureFile.closing(time: 1, recorded: 2, dropped: 300).withUnsafeBytes { tally.take($0) }
    #expect(tally.dropped == 300)
  }
}
