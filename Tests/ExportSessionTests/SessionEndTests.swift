// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import ExportSession
import TestSupport
import Testing
import USBIPWire
import USBModel

@Suite("How sessions end")
struct SessionEndTests {
  /// A session with every kind of message in it.
  private static func recording() -> (bytes: [UInt8], boundaries: Set<Int>) {
    var bytes: [UInt8] = []
    var boundaries: Set<Int> = []
    func add(_ more: [UInt8]) {
      bytes += more
      boundaries.insert(bytes.count)
    }
    let devid = VirtualDevice.description().devid
    func header(_ submit: Submit) -> [UInt8] {
      var header = [UInt8](repeating: 0, count: 48)
      header.withUnsafeMutableBytes { submit.encode(into: $0) }
      return header
    }
    add(importRequest)
    add(
      header(Submit(seqnum: 1, devid: devid, isIn: false, endpoint: 1, length: 37)) + pattern(37))
    add(header(Submit(seqnum: 2, devid: devid, isIn: true, endpoint: 2, length: 8)))
    add(
      header(
        Submit(
          seqnum: 3, devid: devid, isIn: false, endpoint: 0, length: 5,
          setup: SetupPacket(requestType: 0x40, request: 1, length: 5))) + pattern(5))
    add(header(Submit(seqnum: 4, devid: devid, isIn: false, endpoint: 9, length: 11)) + pattern(11))
    var unlink = [UInt8](repeating: 0, count: 48)
    unlink.withUnsafeMutableBytes { Unlink(seqnum: 5, devid: devid, target: 2).encode(into: $0) }
    add(unlink)
    return (bytes, boundaries)
  }

  @Test("the end of the stream at any byte ends the session and leaves nothing")
  func everyOffset() async throws {
    let (bytes, boundaries) = SessionEndTests.recording()
    for length in 0...bytes.count {
      let end = try await withSession { peer, _ in
        if length > 0 { try peer.send(Array(bytes[..<length])) }
        peer.finishSending()
        _ = try peer.receiveAll()
      }
      let expected: SessionEnd =
        length == 0 || boundaries.contains(length) ? .peerClosed : .truncated
      #expect(end == expected, "after \(length) bytes")
    }
  }

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
