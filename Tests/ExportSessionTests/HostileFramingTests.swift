// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import ExportSession
import TestSupport
import Testing
import USBIPWire
import USBModel

/// What a peer may send that nobody could frame or answer: the session ends, and says why.
///
/// The rows are those of docs/testing.md.
@Suite("Hostile peers: what ends a session")
struct HostileFramingTests {
  static let operations: [([UInt8], SessionEnd)] = [
    ([0x01, 0x10, 0x80, 0x03, 0, 0, 0, 0], .violation(.unsupportedVersion(0x0110))),
    ([0x01, 0x06, 0x80, 0x05, 0, 0, 0, 0], .violation(.unsupportedVersion(0x0106))),
    ([0x11, 0x01, 0x80, 0x03, 0, 0, 0, 0], .unknownDoor(0x11)),
    ([0x01, 0x11, 0x80, 0x02, 0, 0, 0, 0], .violation(.unexpectedOperation(0x8002))),
    ([0x01, 0x11, 0x80, 0x06, 0, 0, 0, 0], .violation(.unexpectedOperation(0x8006))),
    ([0x01, 0x11, 0x00, 0x03, 0, 0, 0, 0], .violation(.unexpectedOperation(0x0003))),
    ([0x01, 0x11, 0x80, 0x03, 0, 0, 0, 1], .violation(.requestStatus(1))),
    ([0x01, 0x11, 0x80, 0x05, 0x80, 0, 0, 0], .violation(.requestStatus(0x8000_0000))),
  ]

  @Test("row 1: another version, operation or status gets no reply", arguments: operations.indices)
  func operation(index: Int) async throws {
    let (bytes, expected) = HostileFramingTests.operations[index]
    let end = try await withSession { peer, harness in
      try peer.send(bytes + padded("3-2.1", to: 32))
      #expect(try peer.receiveAll().isEmpty)
      #expect(harness.acquired.isEmpty)
    }
    #expect(end == expected)
  }

  static let busIDs: [[UInt8]] = [
    [UInt8](repeating: UInt8(ascii: "1"), count: 32), padded("../../../etc/passwd", to: 32),
    padded("", to: 32), padded("3-2.1/..", to: 32), padded("3-", to: 32), padded("-2", to: 32),
    padded("3-2.1\n", to: 32), padded("usb3", to: 32), Array("3-2.1".utf8) + [UInt8](1...27),
    [0xFF, 0xFE] + padded("", to: 30),
  ]

  @Test("row 2: a name that is no bus ID is no device, and nobody is asked", arguments: busIDs)
  func busID(field: [UInt8]) async throws {
    let end = try await withSession { peer, harness in
      try peer.send([0x01, 0x11, 0x80, 0x03, 0, 0, 0, 0] + field)
      #expect(try peer.receiveAll() == [0x01, 0x11, 0, 3, 0, 0, 0, 4])
      #expect(harness.acquired.isEmpty)
    }
    #expect(end == .answered)
  }

  @Test(
    "row 3: half a request is given up at the deadline, however it drips", arguments: [0, 1, 39])
  func slow(count: Int) async throws {
    let end = try await withSession(deadline: 60) { peer, harness in
      for byte in importRequest[..<count] where (try? peer.send([byte])) != nil {
        try peer.pause(milliseconds: 3)
      }
      #expect(try peer.receiveAll().isEmpty)
      #expect(harness.acquired.isEmpty)
    }
    #expect(end == .timedOut)
  }

  /// The device every header below names.
  private static let devid = VirtualDevice.description().devid

  /// A header with single words replaced; neighbours differ.
  private static func header(_ changes: [Int: UInt32]) -> [UInt8] {
    var words: [UInt32] = [1, 0x0102_0304, devid, 1, 4, 0, 16, 0, 0, 0, 0, 0]
    for (index, value) in changes { words[index] = value }
    return words.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> (24 - 8 * $0)) }
    }
  }

  /// With other transfers under way, which the end of the session must take back.
  private func expectEnd(_ changes: [Int: UInt32], _ error: WireError) async throws {
    let end = try await withImport { peer, harness in
      for seqnum in 1...3 as ClosedRange<UInt32> { try peer.submitIn(seqnum, 2, length: 8) }
      try harness.device.waitForPending(3)
      try peer.send(HostileFramingTests.header(changes))
      // What was under way is told before the connection ends.
      for seqnum in 1...3 as ClosedRange<UInt32> {
        #expect(try peer.answer() == .submit(seqnum, URBStatus.shutdown))
      }
      #expect(try peer.receiveAll().isEmpty)
      #expect(harness.device.pendingCount == 0)
    }
    #expect(end == .violation(error))
  }

  @Test(
    "row 4: an unknown command, or a reply from a client, ends the session",
    arguments: [0, 3, 4, 5, 0x0100_0000, 0x0111_8005, UInt32.max])
  func command(code: UInt32) async throws {
    try await expectEnd([0: code], .unknownCommand(code))
  }

  @Test(
    "row 5: a command for another device ends the session, submit or unlink",
    arguments: [0, 5, UInt32.max], [1, 2] as [UInt32])
  func otherDevice(devid: UInt32, command: UInt32) async throws {
    try await expectEnd(
      [0: command, 2: devid],
      .deviceMismatch(expected: HostileFramingTests.devid, found: devid))
  }

  @Test("row 6: an endpoint above 15 ends the session", arguments: [16, 0x81, 0x104, UInt32.max])
  func endpoint(number: UInt32) async throws {
    try await expectEnd([4: number], .endpointOutOfRange(number))
  }

  @Test("row 7: a direction that is none ends the session", arguments: [2, 0x100, UInt32.max])
  func direction(number: UInt32) async throws {
    try await expectEnd([3: number], .directionOutOfRange(number))
  }

  @Test(
    "row 8: a length below 0 or above 16 MiB ends the session",
    arguments: [-1, Int32.min, .max, 16 << 20 + 1], [0, 1] as [UInt32])
  func length(length: Int32, direction: UInt32) async throws {
    try await expectEnd(
      [3: direction, 6: UInt32(bitPattern: length)], .lengthOutOfRange(length))
  }

  @Test(
    "row 10: packets for an endpoint that is not there end the session", arguments: [1, Int32.max])
  func ambiguous(packets: Int32) async throws {
    try await expectEnd(
      [4: 9, 8: UInt32(bitPattern: packets)], .ambiguousFraming(endpoint: 9))
  }

  @Test("row 16: a submit under the number of an outstanding one ends the session")
  func duplicate() async throws {
    let end = try await withImport { peer, harness in
      try peer.submitIn(5, 2, length: 8)
      try harness.device.waitForPending(1)
      try peer.submitIn(5, 4, length: 8)
      #expect(try peer.answer() == .submit(5, URBStatus.shutdown))
      #expect(try peer.receiveAll().isEmpty)
    }
    #expect(end == .violation(.duplicateSequenceNumber(5)))
  }

  @Test("row 16: so does one that would have been refused, or have an altsetting's endpoint")
  func duplicateOfRefused() async throws {
    // An absent endpoint, a contradicting control transfer.
    let submits = [
      Submit(seqnum: 5, devid: HostileFramingTests.devid, isIn: true, endpoint: 9, length: 8),
      Submit(
        seqnum: 5, devid: HostileFramingTests.devid, isIn: true, endpoint: 0, length: 8,
        setup: SetupPacket(requestType: 0x40, request: 1, length: 8)),
    ]
    for submit in submits {
      let end = try await withImport { peer, harness in
        try peer.submitIn(5, 2, length: 8)
        try harness.device.waitForPending(1)
        try peer.send(peer.encoded(submit))
        #expect(try peer.answer() == .submit(5, URBStatus.shutdown))
        #expect(try peer.receiveAll().isEmpty)
      }
      #expect(end == .violation(.duplicateSequenceNumber(5)))
    }
  }

  @Test("row 16: a number may come again once it is answered")
  func reused() async throws {
    let end = try await withImport { peer, _ in
      for _ in 0..<3 { try peer.expectService(5) }
    }
    #expect(end == .peerClosed)
  }

  @Test("row 24: single bytes are the same session, and an end in the middle of one leaves nothing")
  func pieces() async throws {
    let end = try await withSession { peer, harness in
      try peer.trickle(importRequest)
      _ = try peer.receive(importReplyLength)
      let submit = Submit(seqnum: 1, devid: peer.devid, isIn: false, endpoint: 1, length: 100)
      try peer.trickle(peer.encoded(submit, payload: pattern(100)))
      #expect(try peer.answer() == .submit(1, 0, 100))
      try peer.submitIn(2, 2, length: 8)
      try harness.device.waitForPending(1)
      try peer.trickle(Array(peer.encoded(submit, payload: pattern(100)).prefix(77)))
      peer.finishSending()
      #expect(try peer.answer() == .submit(2, URBStatus.shutdown))
      #expect(try peer.receiveAll().isEmpty)
    }
    #expect(end == .truncated)
  }

  @Test("noise ends the session", arguments: 0..<8)
  func noise(seed: Int) async throws {
    let end = try await withImport { peer, _ in
      var generator = SeededGenerator(seed: UInt64(seed))
      try peer.send((0..<4096).map { _ in UInt8.random(in: 1...255, using: &generator) })
      _ = try peer.receiveAll()
    }
    guard case .violation = end else {
      Issue.record("ended with \(end)")
      return
    }
  }
}
