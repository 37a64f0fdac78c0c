// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import ExportSession
import TestSupport
import Testing
import USBIPWire
import USBModel

/// What a peer may send that no importer would: each is contained or ends this one session.
@Suite("URB phase: hostile input")
struct HostileInputTests {
  /// A header with single fields replaced; neighbours differ.
  private static func header(_ changes: [Int: UInt32]) -> [UInt8] {
    let devid = VirtualDevice.description().devid
    var words: [UInt32] = [1, 0x0102_0304, devid, 1, 4, 0, 16, 0, 0, 0, 0, 0]
    for (index, value) in changes { words[index] = value }
    return words.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> (24 - 8 * $0)) }
    }
  }

  static let fatal: [([Int: UInt32], WireError)] = [
    ([0: 3], .unknownCommand(3)),
    ([0: 4], .unknownCommand(4)),
    ([0: 0], .unknownCommand(0)),
    ([0: 0x0111_8005], .unknownCommand(0x0111_8005)),
    ([2: 5], .deviceMismatch(expected: 3 << 16 | 17, found: 5)),
    ([4: 16], .endpointOutOfRange(16)),
    ([3: 2], .directionOutOfRange(2)),
    ([6: 0xFFFF_FFFF], .lengthOutOfRange(-1)),
    ([4: 9, 8: 1], .ambiguousFraming(endpoint: 9)),
  ]

  @Test("what cannot be framed ends the session", arguments: fatal.indices)
  func ends(index: Int) async throws {
    let (changes, error) = HostileInputTests.fatal[index]
    let end = try await withImport { peer, _ in
      try peer.send(HostileInputTests.header(changes))
      #expect(try peer.receiveAll().isEmpty)
    }
    #expect(end == .violation(error))
  }

  @Test("a second submit with an outstanding seqnum ends the session")
  func duplicate() async throws {
    let end = try await withImport { peer, _ in
      try peer.submitIn(5, 2, length: 8)
      try peer.submitIn(5, 2, length: 8)
      _ = try peer.receiveAll()
    }
    #expect(end == .violation(.duplicateSequenceNumber(5)))
  }

  @Test("a seqnum may come again once it is answered")
  func reused() async throws {
    let end = try await withImport { peer, _ in
      for _ in 0..<3 {
        try peer.submitIn(5, 4, length: 1)
        #expect(try peer.answer() == .submit(5, 0, 1, [0]))
      }
    }
    #expect(end == .peerClosed)
  }

  @Test("an absent endpoint is answered behind its payload, and the stream stays in step")
  func absentEndpoint() async throws {
    let end = try await withImport { peer, harness in
      try peer.submitOut(1, 9, pattern(300_000))
      #expect(try peer.answer() == .submit(1, URBStatus.noEntry))
      try peer.submitIn(2, 9, length: 300_000)
      #expect(try peer.answer() == .submit(2, URBStatus.noEntry))
      try peer.submitIn(3, 4, length: 2)
      #expect(try peer.answer() == .submit(3, 0, 2, [0, 7]))
      #expect(harness.device.events == [.submitted(endpointAddress: 0x84, length: 2)])
    }
    #expect(end == .peerClosed)
  }

  @Test("a control transfer that contradicts itself is answered behind its payload")
  func controlMismatch() async throws {
    let end = try await withImport { peer, harness in
      let devid = peer.devid
      // wLength 10 with 4 bytes on the wire; then IN on the wire, OUT in the setup packet.
      let short = Submit(
        seqnum: 1, devid: devid, isIn: false, endpoint: 0, length: 4,
        setup: SetupPacket(requestType: 0x40, request: 1, length: 10))
      try peer.send(peer.encoded(short, payload: [1, 2, 3, 4]))
      #expect(try peer.answer() == .submit(1, URBStatus.stall))
      let turned = Submit(
        seqnum: 2, devid: devid, isIn: true, endpoint: 0, length: 10,
        setup: SetupPacket(requestType: 0x40, request: 1, length: 10))
      try peer.send(peer.encoded(turned))
      #expect(try peer.answer() == .submit(2, URBStatus.stall))
      #expect(harness.device.events.isEmpty)
      // More on the wire than wLength: the setup packet counts.
      let long = Submit(
        seqnum: 3, devid: devid, isIn: false, endpoint: 0, length: 6,
        setup: SetupPacket(requestType: 0x40, request: 1, length: 2))
      try peer.send(peer.encoded(long, payload: [1, 2, 3, 4, 5, 6]))
      #expect(try peer.answer() == .submit(3, 0, 2))
      #expect(harness.device.events == [.submitted(endpointAddress: 0, length: 10)])
    }
    #expect(end == .peerClosed)
  }

  @Test("masked flags never reach the device")
  func flags() async throws {
    let end = try await withImport { peer, _ in
      // All bits set: SHORT_NOT_OK is honoured for IN, the kernel's own flags are not.
      try peer.submitOut(1, 1, [9])
      #expect(try peer.answer() == .submit(1, 0, 1))
      try peer.submitIn(2, 1, length: 4, flags: TransferFlags(rawValue: 0xFFFF_FFFF))
      #expect(try peer.answer() == .submit(2, URBStatus.shortTransfer, 1, [9]))
    }
    #expect(end == .peerClosed)
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

/// The same numbers every time (splitmix64).
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
    return value ^ (value >> 31)
  }
}
