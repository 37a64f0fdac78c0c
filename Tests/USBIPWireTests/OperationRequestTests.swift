// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import Testing
import USBIPWire
import USBModel

@Suite struct OperationRequestTests {
  private let list = bytes("01 11  80 05  00 00 00 00")
  private let importHeader = bytes("01 11  80 03  00 00 00 00")

  private func importing(_ text: String) -> [UInt8] {
    importHeader + Array(text.utf8) + SampleDevice.zeros(32 - text.utf8.count)
  }

  /// Feeds one byte after the other and notes where the request came.
  private func parse(_ all: [UInt8]) throws -> (OperationRequest, at: Int)? {
    var parser = OperationRequestParser()
    for (place, byte) in all.enumerated() {
      try parser.append(CollectionOfOne(byte))
      if let request = try parser.next() { return (request, place + 1) }
    }
    return nil
  }

  @Test func encodesAsTheTablesSay() throws {
    #expect(hex(OperationRequestEncoder.deviceList()) == hex(list))
    let busID = try #require(BusID("12-3.45"))
    #expect(
      hex(OperationRequestEncoder.importDevice(busID))
        == hex(importHeader + bytes("31 32 2d 33 2e 34 35") + SampleDevice.zeros(25)))
  }

  @Test func takesPiecesOfOneByte() throws {
    let listed = try #require(try parse(list))
    #expect(listed == (.deviceList, 8))
    let imported = try #require(try parse(importing("12-3.45")))
    #expect(imported == (.importDevice(try #require(BusID("12-3.45"))), 40))
  }

  @Test(arguments: 0..<40) func waitsForTheRest(count: Int) throws {
    var parser = OperationRequestParser()
    try parser.append(importing("1-1").prefix(count))
    #expect(try parser.next() == nil)
    #expect(parser.remainder == [])
    #expect(parser.missingBytes == (count < 8 ? 8 - count : 40 - count))
  }

  @Test func givesARequestOnceAndKeepsWhatFollows() throws {
    for (request, kind) in [
      (list, OperationRequest.deviceList),
      (importing("1-1"), .importDevice(try #require(BusID("1-1")))),
    ] {
      var parser = OperationRequestParser()
      try parser.append(request + bytes("a1 a2 a3"))
      #expect(parser.missingBytes == 0)
      #expect(try parser.next() == kind)
      #expect(try parser.next() == nil)
      try parser.append(bytes("a4"))
      #expect(parser.remainder == bytes("a1 a2 a3 a4"))
      #expect(parser.missingBytes == 0)
    }
  }

  @Test func boundsWhatAClientPipelines() throws {
    var parser = OperationRequestParser()
    try parser.append(importing("1-1") + SampleDevice.zeros(WireLimits.maximumPipelinedBytes))
    #expect(throws: WireError.pipelinedTooMuch(count: 40 + WireLimits.maximumPipelinedBytes + 1)) {
      try parser.append([0])
    }
  }

  /// Row 1: the eight bytes and why they end the connection.
  static let refused: [(String, WireError)] = [
    ("01 10 80 03 00 00 00 00", .unsupportedVersion(0x0110)),
    ("11 01 80 05 00 00 00 00", .unsupportedVersion(0x1101)),
    ("00 00 80 05 00 00 00 00", .unsupportedVersion(0)),
    ("01 11 80 02 00 00 00 00", .unexpectedOperation(0x8002)),
    ("01 11 80 04 00 00 00 00", .unexpectedOperation(0x8004)),
    ("01 11 80 06 00 00 00 00", .unexpectedOperation(0x8006)),
    ("01 11 80 07 00 00 00 00", .unexpectedOperation(0x8007)),
    ("01 11 00 05 00 00 00 00", .unexpectedOperation(0x0005)),
    ("01 11 00 03 00 00 00 00", .unexpectedOperation(0x0003)),
    ("01 11 ff ff 00 00 00 00", .unexpectedOperation(0xFFFF)),
    ("01 11 80 05 00 00 00 01", .requestStatus(1)),
    ("01 11 80 03 01 02 03 04", .requestStatus(0x0102_0304)),
  ]

  @Test(arguments: refused.indices) func refuses(row: Int) throws {
    let (text, error) = Self.refused[row]
    #expect(throws: error) { try parse(bytes(text)) }
    var parser = OperationRequestParser()
    try parser.append(bytes(text) + SampleDevice.zeros(32))
    #expect(throws: error) { try parser.next() }
    #expect(throws: error) { try parser.next() }
    #expect(parser.remainder == [])
    #expect(parser.missingBytes == 0)
  }

  /// Row 2.
  @Test(arguments: [
    "", "usb1", "usbip-vudc.0", "../../../etc/passwd", "1-1/../2-2", "1-1\n", "1-", "3-2:1.0", "é",
    "11111111-1111111111111111111111",
  ])
  func knowsWhatCannotBeADevice(text: String) throws {
    #expect(try #require(try parse(importing(text))).0 == .importUnnameable)
  }

  /// Row 2, a field without NUL.
  @Test func wantsANulInTheBusID() throws {
    let longest = "1-1" + String(repeating: ".1", count: 14)
    #expect(
      try #require(try parse(importing(longest))).0 == .importDevice(try #require(BusID(longest))))
    #expect(try #require(try parse(importing(longest + "1"))).0 == .importUnnameable)
    let notText = importHeader + [UInt8](repeating: 0xFF, count: 32)
    #expect(try #require(try parse(notText)).0 == .importUnnameable)
  }

  @Test func ignoresWhatIsBehindTheNul() throws {
    let dirty = importHeader + bytes("31 2d 31 00") + [UInt8](repeating: 0xEE, count: 28)
    #expect(try #require(try parse(dirty)).0 == .importDevice(try #require(BusID("1-1"))))
  }
}
