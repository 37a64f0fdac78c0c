// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import ExportSession
import TestSupport
import Testing
import USBIPWire
import USBModel

@Suite("URB phase: limits")
struct BackpressureTests {
  @Test("row 18: more URBs than slots wait their turn, and all are answered in order")
  func manyOutstanding() async throws {
    let end = try await withImport { peer, harness in
      let count: UInt32 = 1500
      var bytes: [UInt8] = []
      harness.device.hold(0x84)
      for seqnum in 1...count {
        bytes += peer.encoded(
          Submit(seqnum: seqnum, devid: peer.devid, isIn: true, endpoint: 4, length: 1))
      }
      let raw = peer.rawValue
      BackgroundThread.start { [bytes] in writeAll(raw, bytes) }
      try harness.device.waitForPending(WireLimits.maximumOutstandingURBs)
      #expect(harness.device.pendingCount == WireLimits.maximumOutstandingURBs)
      harness.device.release(0x84)
      for seqnum in 1...count {
        let answer = try peer.answer()
        #expect(answer == .submit(seqnum, 0, 1, [0]))
      }
    }
    #expect(end == .peerClosed)
  }

  @Test("row 18: the memory of outstanding URBs is bounded, and a large one always goes through")
  func bytes() async throws {
    var limits = URBPhaseLimits()
    limits.bytes = 64 * 1024
    let end = try await withImport(limits: limits) { peer, harness in
      harness.device.hold(0x84)
      for seqnum in 1...8 as ClosedRange<UInt32> { try peer.submitIn(seqnum, 4, length: 16_384) }
      try harness.device.waitForPending(4)
      #expect(harness.device.pendingCount == 4)
      harness.device.release(0x84)
      for seqnum in 1...8 as ClosedRange<UInt32> {
        let answer = try peer.answer()
        #expect(answer.data.count == 16_384)
        #expect(answer.reply == LoopbackPeer.Answer.submit(seqnum, 0, 16_384).reply)
      }
      try peer.submitIn(9, 4, length: 1 << 20)
      #expect(try peer.answer().data.count == 1 << 20)
    }
    #expect(end == .peerClosed)
  }

  @Test("row 19: a peer that takes no replies is waited for, then given up")
  func writeStall() async throws {
    var limits = URBPhaseLimits()
    limits.writeStall = .milliseconds(100)
    let end = try await withImport(limits: limits) { peer, harness in
      for seqnum in 1...64 as ClosedRange<UInt32> { try peer.submitIn(seqnum, 4, length: 65_536) }
      #expect(try harness.end() == .writeStalled)
      #expect(harness.device.unreapedCount == 0)
    }
    #expect(end == .writeStalled)
  }

  @Test("a slow reader gets everything")
  func slowReader() async throws {
    let end = try await withImport { peer, _ in
      let count: UInt32 = 200
      let raw = peer.rawValue
      var bytes: [UInt8] = []
      for seqnum in 1...count {
        bytes += peer.encoded(
          Submit(seqnum: seqnum, devid: peer.devid, isIn: true, endpoint: 4, length: 30_000))
      }
      BackgroundThread.start { [bytes] in writeAll(raw, bytes) }
      for seqnum in 1...count {
        let answer = try peer.answer()
        #expect(answer.reply == LoopbackPeer.Answer.submit(seqnum, 0, 30_000).reply)
        #expect(answer.data.count == 30_000)
        if seqnum % 50 == 0 { try peer.pause(milliseconds: 20) }
      }
    }
    #expect(end == .peerClosed)
  }

  @Test("a peer that closes while commands are on hold ends the session")
  func closedOnHold() async throws {
    var limits = URBPhaseLimits()
    limits.slots = 4
    let end = try await withImport(limits: limits) { peer, harness in
      for seqnum in 1...10 as ClosedRange<UInt32> { try peer.submitIn(seqnum, 2, length: 8) }
      try harness.device.waitForPending(4)
    }
    #expect(end == .peerClosed)
  }

  @Test("large payloads in both directions keep their content, whatever the pieces")
  func interleaved() async throws {
    let end = try await withImport { peer, _ in
      var bytes: [UInt8] = []
      let lengths = [1, 47, 48, 49, 4096, 70_000, 262_144, 262_145, 600_000, 3]
      for (index, length) in lengths.enumerated() {
        bytes += peer.encoded(
          Submit(
            seqnum: UInt32(2 * index + 1), devid: peer.devid, isIn: false, endpoint: 1,
            length: length), payload: pattern(length))
        bytes += peer.encoded(
          Submit(
            seqnum: UInt32(2 * index + 2), devid: peer.devid, isIn: true, endpoint: 1,
            length: length))
      }
      let raw = peer.rawValue
      BackgroundThread.start { [bytes] in writeAll(raw, bytes) }
      for (index, length) in lengths.enumerated() {
        #expect(try peer.answer() == .submit(UInt32(2 * index + 1), 0, Int32(length)))
        let answer = try peer.answer()
        #expect(answer.data == pattern(length), "length \(length)")
      }
    }
    #expect(end == .peerClosed)
  }
}
