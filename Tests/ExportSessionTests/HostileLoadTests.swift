// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import ExportSession
import Glibc
import LinuxHost
import TestSupport
import Testing
import USBIPWire
import USBModel

/// A peer that asks for more than there is, or takes nothing, or says nothing.
///
/// The rows are those of docs/testing.md.
@Suite("Hostile peers: load and silence")
struct HostileLoadTests {
  @Test("row 17: more unlinks of one URB than are kept slow the peer down, and each is answered")
  func repeatedUnlinks() async throws {
    let end = try await withImport { peer, _ in
      let count: UInt32 = 2000
      let submit = Submit(seqnum: 1, devid: peer.devid, isIn: true, endpoint: 2, length: 8)
      var bytes = peer.encoded(submit)
      for seqnum in 2...count {
        bytes += peer.encoded(Unlink(seqnum: seqnum, devid: peer.devid, target: 1))
      }
      let raw = peer.rawValue
      BackgroundThread.start { [bytes] in writeAll(raw, bytes) }
      #expect(try peer.answer() == .unlink(2, URBStatus.connectionReset))
      for seqnum in 3...count {
        let answer = try peer.answer()
        #expect(answer == .unlink(seqnum, 0))
      }
      try peer.expectService()
    }
    #expect(end == .peerClosed)
  }

  /// In a process of its own: it looks at the most memory that was ever in use.
  @Test("row 19: a peer that takes no replies costs what the limits say, then it is given up")
  func memory() async {
    await #expect(processExitsWith: .success) { try await HostileLoadTests.takeNothing() }
  }

  private static func takeNothing() async throws {
    let before = ProcessFootprint.peakMemory()
    var limits = URBPhaseLimits()
    limits.writeStall = .milliseconds(300)
    limits.bytes = 8 << 20
    let end = try await withImport(limits: limits) { peer, harness in
      var bytes: [UInt8] = []
      for seqnum in 1...20_000 as ClosedRange<UInt32> {
        bytes += peer.encoded(
          Submit(seqnum: seqnum, devid: peer.devid, isIn: true, endpoint: 4, length: 65_536))
      }
      let raw = peer.rawValue
      BackgroundThread.start { [bytes] in writeAll(raw, bytes) }
      _ = try harness.end()
    }
    try #require(end == .writeStalled)
    // Requests, buffers, and the data the device keeps until it is reaped; the replies are 1.3 GB.
    let growth = ProcessFootprint.peakMemory() - before
    try #require(growth < 48 << 20, "\(growth) bytes")
  }

  @Test("row 25: a peer that goes silent is noticed within seconds, one that idles is served")
  func keepalive() async throws {
    try await BackgroundThread.run {
      let pair = try LoopbackPeerListener().connect()
      let harness = try SessionHarness(connection: try pair.session.duplicate())
      var peer = LoopbackPeer(
        try pair.test.duplicate(), devid: VirtualDevice.description().devid)
      try peer.send(importRequest)
      _ = try peer.receive(importReplyLength)
      let session = pair.session.rawValue
      func option(_ level: Int32, _ name: Int32) -> Int32 {
        var value: Int32 = -1
        var length = socklen_t(MemoryLayout<Int32>.size)
        _ = getsockopt(session, level, name, &value, &length)
        return value
      }
      let tcp = Int32(IPPROTO_TCP)
      #expect(option(SOL_SOCKET, SO_KEEPALIVE) == 1)
      let probing =
        option(tcp, TCP_KEEPIDLE) + option(tcp, TCP_KEEPINTVL) * option(tcp, TCP_KEEPCNT)
      #expect((1...15).contains(probing), "seconds")
      #expect((1...15_000).contains(option(tcp, TCP_USER_TIMEOUT)), "milliseconds")
      try peer.expectService()
      peer.finish()
      #expect(try harness.end() == .peerClosed)
      try harness.expectNothingLeft()
      #expect(harness.device.unreapedCount == 0)
    }
  }
}
