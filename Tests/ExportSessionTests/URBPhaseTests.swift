// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import ExportSession
import TestSupport
import Testing
import USBIPWire
import USBModel

@Suite("URB phase: transfers")
struct URBPhaseTests {
  @Test("bulk data comes back as it went out", arguments: [0, 1, 63, 512, 4096, 1 << 20])
  func bulkLoopback(length: Int) async throws {
    let end = try await withImport { peer, _ in
      let payload = pattern(length)
      try peer.submitOut(1, 1, payload)
      #expect(try peer.answer() == .submit(1, 0, Int32(length)))
      try peer.submitIn(2, 1, length: length + 10)
      #expect(try peer.answer() == .submit(2, 0, Int32(length), payload))
    }
    #expect(end == .peerClosed)
  }
}
