// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import Testing
import USBIPWire
import USBModel

@Suite struct OperationReplyParserTests {
  private let importHeader = bytes("01 11 00 03 00 00 00 00")
  private let listHeader = bytes("01 11 00 05 00 00 00 00")

  /// What an importer knows after an import: the record has no interfaces.
  private var imported: Device {
    var device = SampleDevice.device
    device.interfaces = []
    return device
  }

  private func patched(_ place: Int, _ bytes: [UInt8]) -> [UInt8] {
    var record = SampleDevice.record
    record.replaceSubrange(place..<place + bytes.count, with: bytes)
    return record
  }

  private func parse(_ all: [UInt8], expecting code: OperationCode) throws
    -> OperationReplyParser.Parsed?
  {
    var parser = OperationReplyParser(expecting: code)
    for byte in all {
      parser.append(CollectionOfOne(byte))
      if let parsed = try parser.next() { return parsed }
    }
    return nil
  }

  @Test func takesPiecesOfOneByte() throws {
    #expect(
      try parse(importHeader + SampleDevice.record, expecting: .importDevice)
        == .imported(imported))
    let list =
      listHeader + bytes("00 00 00 02") + SampleDevice.otherRecord + SampleDevice.record
      + SampleDevice.interfaces
    #expect(
      try parse(list, expecting: .deviceList)
        == .deviceList([SampleDevice.other, SampleDevice.device]))
    #expect(
      try parse(listHeader + bytes("00 00 00 00"), expecting: .deviceList) == .deviceList([]))
  }

  @Test func givesNothingBeforeTheLastByte() throws {
    let list =
      listHeader + bytes("00 00 00 02") + SampleDevice.record + SampleDevice.interfaces
      + SampleDevice.otherRecord
    for (reply, code) in [
      (list, OperationCode.deviceList), (importHeader + SampleDevice.record, .importDevice),
    ] {
      for count in 0..<reply.count {
        var parser = OperationReplyParser(expecting: code)
        parser.append(reply.prefix(count))
        #expect(try parser.next() == nil)
        #expect(parser.missingBytes > 0)
        #expect(parser.missingBytes <= reply.count - count)
        #expect(parser.remainder == [])
      }
    }
  }

  /// Reads as an importer must, and returns the sizes of its reads.
  private func readExactly(_ reply: [UInt8], expecting code: OperationCode) throws
    -> (reads: [Int], parsed: OperationReplyParser.Parsed?)
  {
    var parser = OperationReplyParser(expecting: code)
    var rest = (reply + bytes("e1 e2 e3"))[...]
    var reads: [Int] = []
    while true {
      if let parsed = try parser.next() {
        #expect(parser.missingBytes == 0)
        #expect(Array(rest) == bytes("e1 e2 e3"))
        return (reads, parsed)
      }
      let count = parser.missingBytes
      guard count > 0, count <= rest.count else { return (reads, nil) }
      reads.append(count)
      parser.append(rest.prefix(count))
      rest = rest.dropFirst(count)
    }
  }

  @Test func neverReadsPastTheReply() throws {
    let one = try readExactly(importHeader + SampleDevice.record, expecting: .importDevice)
    #expect(one.reads == [8, 312])
    #expect(one.parsed == .imported(imported))
    let refusal = try readExactly(bytes("01 11 00 03 00 00 00 02"), expecting: .importDevice)
    #expect(refusal.reads == [8])
    #expect(refusal.parsed == .refused(.busy))
    let list =
      listHeader + bytes("00 00 00 02") + SampleDevice.record + SampleDevice.interfaces
      + SampleDevice.otherRecord
    let all = try readExactly(list, expecting: .deviceList)
    #expect(all.reads == [8, 4, 312, 8, 312])
    #expect(all.parsed == .deviceList([SampleDevice.device, SampleDevice.other]))
  }

  @Test func keepsWhatFollows() throws {
    var parser = OperationReplyParser(expecting: .importDevice)
    parser.append(importHeader + SampleDevice.record + bytes("a1 a2"))
    #expect(parser.missingBytes == 0)
    #expect(try parser.next() == .imported(imported))
    #expect(try parser.next() == nil)
    #expect(parser.remainder == bytes("a1 a2"))
  }

  @Test(arguments: [
    (UInt32(1), OperationStatus.notAvailable), (2, .busy), (3, .deviceError), (4, .noDevice),
    (5, .unexpected), (6, .unexpected), (0xFFFF_FFFF, .unexpected),
  ])
  func isRefused(number: UInt32, status: OperationStatus) throws {
    let tail = (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * $0)) }
    for (header, code) in [
      (importHeader, OperationCode.importDevice), (listHeader, .deviceList),
    ] {
      #expect(try parse(header.prefix(4) + tail, expecting: code) == .refused(status))
    }
  }

  @Test func refusesAnotherReplyThanExpected() {
    #expect(throws: WireError.unexpectedOperation(0x0005)) {
      try parse(listHeader, expecting: .importDevice)
    }
    #expect(throws: WireError.unexpectedOperation(0x0003)) {
      try parse(importHeader, expecting: .deviceList)
    }
    #expect(throws: WireError.unexpectedOperation(0x8003)) {
      try parse(bytes("01 11 80 03 00 00 00 00"), expecting: .importDevice)
    }
    #expect(throws: WireError.unsupportedVersion(0x0106)) {
      try parse(bytes("01 06 00 03 00 00 00 00"), expecting: .importDevice)
    }
  }

  @Test func boundsTheList() {
    #expect(throws: WireError.tooManyDevices(4097)) {
      try parse(listHeader + bytes("00 00 10 01"), expecting: .deviceList)
    }
    #expect(throws: WireError.tooManyDevices(0xFFFF_FFFF)) {
      try parse(listHeader + bytes("ff ff ff ff"), expecting: .deviceList)
    }
  }

  @Test func refusesToImportWhatItCannotName() {
    #expect(throws: WireError.unnameableDevice) {
      try parse(importHeader + patched(256, bytes("2e 2e 2f")), expecting: .importDevice)
    }
    #expect(throws: WireError.unnameableDevice) {
      try parse(
        importHeader + patched(256, [UInt8](repeating: 0x31, count: 32)), expecting: .importDevice)
    }
    for speed: UInt8 in [0, 7, 255] {
      #expect(throws: WireError.unknownSpeed(UInt32(speed))) {
        try parse(importHeader + patched(0x12B, [speed]), expecting: .importDevice)
      }
    }
  }

  @Test func staysRefused() throws {
    var parser = OperationReplyParser(expecting: .importDevice)
    parser.append(listHeader + importHeader + SampleDevice.record)
    for _ in 0..<2 {
      #expect(throws: WireError.unexpectedOperation(5)) { try parser.next() }
    }
    #expect(parser.missingBytes == 0)
    #expect(parser.remainder == [])
  }

  @Test func leavesOutOfAListWhatNobodyCouldUse() throws {
    let list =
      listHeader + bytes("00 00 00 03") + patched(0x12B, [0]) + SampleDevice.interfaces
      + patched(256, bytes("58")) + SampleDevice.interfaces + SampleDevice.otherRecord
    #expect(try parse(list, expecting: .deviceList) == .deviceList([SampleDevice.other]))
  }

  @Test func readsAPathThatIsNoTextOrHasNoEnd() throws {
    let record = patched(0, [UInt8](repeating: 0x80, count: 256))
    guard case .imported(let device) = try parse(importHeader + record, expecting: .importDevice)
    else {
      Issue.record("no device")
      return
    }
    #expect(device.sysfsPath == String(repeating: "\u{FFFD}", count: 256))
  }

  @Test func namesTheDeviceInURBs() {
    #expect(SampleDevice.other.devid == 0x0001_0002)
    #expect(SampleDevice.device.devid == 0x1314_2324)
  }
}
