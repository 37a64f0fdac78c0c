// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import ExportSession
import TestSupport
import Testing
import USBIPWire
import USBModel

@Suite("How sessions end")
struct SessionEndTests {
  @Test("a closing peer leaves no transfer with the device")
  func outstanding() async throws {
    let end = try await withImport { peer, harness in
      for seqnum in 1...50 as ClosedRange<UInt32> { try peer.submitIn(seqnum, 2, length: 8) }
      try peer.submitIn(99, 4, length: 1)
      #expect(try peer.answer() == .submit(99, 0, 1, [0]))
      #expect(harness.device.pendingCount == 50)
      peer.finish()
      #expect(try harness.end() == .peerClosed)
      #expect(harness.device.pendingCount == 0)
    }
    #expect(end == .peerClosed)
  }

  @Test("an agent that goes takes the session with it")
  func agentGone() async throws {
    let end = try await withImport { peer, harness in
      try peer.submitIn(1, 2, length: 8)
      harness.closeAgent()
      _ = try peer.receiveAll()
    }
    #expect(end == .agentGone)
  }

  @Test("a termination signal ends the session")
  func terminated() async throws {
    let end = try await withImport { peer, harness in
      harness.terminate()
      _ = try peer.receiveAll()
    }
    #expect(end == .terminated)
  }

  @Test("an unplugged device answers what is under way, then ends the session")
  func unplugged() async throws {
    let end = try await withImport { peer, harness in
      try peer.submitIn(1, 2, length: 8)
      try peer.submitIn(2, 4, length: 1)
      #expect(try peer.answer() == .submit(2, 0, 1, [0]))
      harness.device.unplug()
      #expect(try peer.answer() == .submit(1, URBStatus.shutdown))
      #expect(try peer.receiveAll().isEmpty)
    }
    #expect(end == .deviceGone(URBStatus.noDevice))
  }

  @Test("only ends that are nobody's fault count as normal")
  func normality() {
    #expect(SessionEnd.peerClosed.isNormal)
    #expect(SessionEnd.deviceGone(-19).isNormal)
    #expect(!SessionEnd.truncated.isNormal)
    #expect(!SessionEnd.violation(.unknownCommand(9)).isNormal)
    #expect(!SessionEnd.writeStalled.isNormal)
  }
}
