// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import ExportSession
import TestSupport
import Testing
import USBIPWire
import USBModel

@Suite("URB phase: unlink")
struct UnlinkTests {
  @Test("an unlink that wins answers alone")
  func wins() async throws {
    let end = try await withImport { peer, harness in
      try peer.submitIn(1, 2, length: 8)
      try peer.unlink(2, target: 1)
      #expect(try peer.answer() == .unlink(2, URBStatus.connectionReset))
      harness.device.report([1])
      try peer.submitIn(3, 2, length: 8)
      #expect(try peer.answer() == .submit(3, 0, 1, [1]), "nothing of 1 in between")
    }
    #expect(end == .peerClosed)
  }

  @Test("a transfer that wins answers first, with its data")
  func loses() async throws {
    let end = try await withImport { peer, harness in
      harness.device.completeOnDiscard(0x82, with: [7, 8])
      try peer.submitIn(1, 2, length: 8)
      try peer.unlink(2, target: 1)
      #expect(try peer.answer() == .submit(1, 0, 2, [7, 8]))
      #expect(try peer.answer() == .unlink(2, 0))
    }
    #expect(end == .peerClosed)
  }

  @Test("row 17: an unlink of what is answered, was never there, or of itself succeeds")
  func unknown() async throws {
    let end = try await withImport { peer, _ in
      try peer.submitIn(1, 4, length: 1)
      #expect(try peer.answer() == .submit(1, 0, 1, [0]))
      try peer.unlink(2, target: 1)
      try peer.unlink(3, target: 0xFFFF_FFFF)
      try peer.unlink(4, target: 4)
      #expect(try peer.answer() == .unlink(2, 0))
      #expect(try peer.answer() == .unlink(3, 0))
      #expect(try peer.answer() == .unlink(4, 0))
    }
    #expect(end == .peerClosed)
  }

  @Test("an unlink right behind its submit never overtakes the answer")
  func behindCompletion() async throws {
    let end = try await withImport { peer, _ in
      for round in 0..<200 as Range<UInt32> {
        let submit = Submit(
          seqnum: round * 2 + 1, devid: peer.devid, isIn: true, endpoint: 4, length: 3)
        let unlink = Unlink(seqnum: round * 2 + 2, devid: peer.devid, target: round * 2 + 1)
        try peer.send(peer.encoded(submit) + peer.encoded(unlink))
        // The device has completed it, but nobody has reaped it yet: data wins.
        #expect(try peer.answer() == .submit(round * 2 + 1, 0, 3, [0, 7, 14]))
        #expect(try peer.answer() == .unlink(round * 2 + 2, 0))
      }
    }
    #expect(end == .peerClosed)
  }

  @Test("an unlink that comes before its submit wins when that arrives, and its payload is dropped")
  func early() async throws {
    let end = try await withImport { peer, _ in
      try peer.submitIn(1, 4, length: 1)
      #expect(try peer.answer() == .submit(1, 0, 1, [0]))
      // 2 and 3 are queued and unlinked by the client before it sends them; 6 never comes.
      try peer.unlink(4, target: 2)
      try peer.unlink(5, target: 3)
      try peer.unlink(7, target: 6)
      try peer.submitIn(2, 4, length: 1)
      #expect(try peer.answer() == .unlink(4, URBStatus.connectionReset))
      let payload = [UInt8](repeating: 0x5A, count: 100)
      let submit = Submit(
        seqnum: 3, devid: peer.devid, isIn: false, endpoint: 4, length: payload.count)
      try peer.send(peer.encoded(submit) + payload)
      #expect(try peer.answer() == .unlink(5, URBStatus.connectionReset))
      try peer.submitIn(8, 4, length: 1)
      #expect(try peer.answer() == .unlink(7, 0))
      #expect(try peer.answer() == .submit(8, 0, 1, [0]))
    }
    #expect(end == .peerClosed)
  }

  @Test("repeated unlinks of one URB are each answered once, behind the first")
  func repeated() async throws {
    let end = try await withImport { peer, _ in
      try peer.submitIn(1, 2, length: 8)
      for seqnum in 2...5 as ClosedRange<UInt32> { try peer.unlink(seqnum, target: 1) }
      #expect(try peer.answer() == .unlink(2, URBStatus.connectionReset))
      for seqnum in 3...5 as ClosedRange<UInt32> {
        #expect(try peer.answer() == .unlink(seqnum, 0))
      }
    }
    #expect(end == .peerClosed)
  }

  @Test("row 17: an unlink flood is answered one for one")
  func flood() async throws {
    let end = try await withImport { peer, _ in
      let count: UInt32 = 20_000
      try peer.submitIn(1, 4, length: 1)
      #expect(try peer.answer() == .submit(1, 0, 1, [0]))
      var unlinks: [UInt8] = []
      for seqnum in 2...count {
        unlinks += peer.encoded(Unlink(seqnum: seqnum, devid: peer.devid, target: 0))
      }
      // Read while writing: the session stops reading when its answers are not taken.
      let raw = peer.rawValue
      BackgroundThread.start { [unlinks] in writeAll(raw, unlinks) }
      for seqnum in 2...count {
        let answer = try peer.answer()
        #expect(answer == .unlink(seqnum, 0))
      }
    }
    #expect(end == .peerClosed)
  }
}
