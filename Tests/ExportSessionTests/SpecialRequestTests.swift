// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import ExportSession
import TestSupport
import Testing
import USBIPWire
import USBModel

@Suite("URB phase: requests that change the device")
struct SpecialRequestTests {
  @Test("an altsetting brings its endpoints, and ends the transfers of its interface first")
  func setInterface() async throws {
    let end = try await withImport { peer, harness in
      try peer.submitIn(1, 2, length: 8)
      try peer.submitIn(2, 3, length: 8)
      #expect(try peer.answer() == .submit(2, URBStatus.noEntry), "altsetting 0 has no IN 3")
      try peer.submitControl(3, SetupPacket(requestType: 1, request: 11, value: 1))
      #expect(try peer.answer() == .submit(1, URBStatus.shutdown))
      #expect(try peer.answer() == .submit(3, 0))
      let none = Submit(seqnum: 4, devid: peer.devid, isIn: true, endpoint: 3, length: 8)
      try peer.send(peer.encoded(none))
      #expect(try peer.answer() == .submit(4, 0), "isochronous now, and without packets")
      #expect(harness.device.events.contains(.setInterface(0, alternate: 1)))
    }
    #expect(end == .peerClosed)
  }

  @Test("an altsetting that does not exist is refused and changes nothing")
  func unknownInterface() async throws {
    let end = try await withImport { peer, _ in
      try peer.submitControl(1, SetupPacket(requestType: 1, request: 11, value: 7))
      #expect(try peer.answer() == .submit(1, URBStatus.stall))
      try peer.submitControl(2, SetupPacket(requestType: 1, request: 11, value: 300, index: 1))
      #expect(try peer.answer() == .submit(2, URBStatus.stall))
      try peer.submitIn(3, 4, length: 1)
      #expect(try peer.answer() == .submit(3, 0, 1, [0]))
    }
    #expect(end == .peerClosed)
  }

  @Test("a configuration brings its endpoints and takes the others")
  func setConfiguration() async throws {
    let end = try await withImport { peer, harness in
      try peer.submitIn(1, 2, length: 8)
      try peer.submitControl(2, SetupPacket(requestType: 0, request: 9, value: 2))
      #expect(try peer.answer() == .submit(1, URBStatus.shutdown))
      #expect(try peer.answer() == .submit(2, 0))
      try peer.submitOut(3, 5, [1])
      #expect(try peer.answer() == .submit(3, 0, 1))
      try peer.submitOut(4, 1, [1])
      #expect(try peer.answer() == .submit(4, URBStatus.noEntry))
      try peer.submitControl(5, SetupPacket(requestType: 0, request: 9, value: 9))
      #expect(try peer.answer() == .submit(5, URBStatus.stall))
      try peer.submitControl(6, SetupPacket(requestType: 0, request: 9, value: 0))
      #expect(try peer.answer() == .submit(6, 0))
      try peer.submitOut(7, 5, [1])
      #expect(try peer.answer() == .submit(7, URBStatus.noEntry), "no configuration, no endpoint")
      #expect(
        harness.device.events.filter { if case .setConfiguration = $0 { true } else { false } }
          == [.setConfiguration(2), .setConfiguration(0)], "9 is not there")
    }
    #expect(end == .peerClosed)
  }

  @Test("a halt is cleared after the endpoint's transfers are ended")
  func clearHalt() async throws {
    let end = try await withImport { peer, harness in
      try peer.submitIn(1, 1, length: 8)
      try peer.submitIn(2, 2, length: 8)
      try peer.submitControl(3, SetupPacket(requestType: 2, request: 1, index: 0x81))
      #expect(try peer.answer() == .submit(1, URBStatus.shutdown))
      #expect(try peer.answer() == .submit(3, 0))
      #expect(
        harness.device.events.suffix(2) == [.discarded(endpointAddress: 0x81), .clearHalt(0x81)])
      harness.device.report([5])
      #expect(try peer.answer() == .submit(2, 0, 1, [5]), "the other endpoint was left alone")
    }
    #expect(end == .peerClosed)
  }

  @Test("a stall lasts until its halt is cleared")
  func stall() async throws {
    let end = try await withImport { peer, harness in
      harness.device.stall(0x84)
      for seqnum in 1...2 as ClosedRange<UInt32> {
        try peer.submitIn(seqnum, 4, length: 1)
        #expect(try peer.answer() == .submit(seqnum, URBStatus.stall))
      }
      try peer.submitControl(3, SetupPacket(requestType: 2, request: 1, index: 0x84))
      #expect(try peer.answer() == .submit(3, 0))
      try peer.submitIn(4, 4, length: 1)
      #expect(try peer.answer() == .submit(4, 0, 1, [0]))
    }
    #expect(end == .peerClosed)
  }

  @Test("a port reset ends every transfer and keeps the device")
  func portReset() async throws {
    let end = try await withImport { peer, harness in
      try peer.submitIn(1, 1, length: 8)
      try peer.submitIn(2, 2, length: 8)
      try peer.submitControl(3, SetupPacket(requestType: 0x23, request: 3, value: 4, index: 1))
      #expect(try peer.answer() == .submit(1, URBStatus.shutdown))
      #expect(try peer.answer() == .submit(2, URBStatus.shutdown))
      #expect(try peer.answer() == .submit(3, 0))
      #expect(harness.device.events.last == .reset)
      try peer.submitIn(4, 4, length: 1)
      #expect(try peer.answer() == .submit(4, 0, 1, [0]))
    }
    #expect(end == .peerClosed)
  }

  @Test("a device that comes back changed from a reset ends the session")
  func resetLosesDevice() async throws {
    let end = try await withImport { peer, harness in
      harness.device.refuseBarriers(URBStatus.noDevice)
      try peer.submitControl(3, SetupPacket(requestType: 0x23, request: 3, value: 4, index: 1))
      #expect(try peer.answer() == .submit(3, URBStatus.shutdown))
      #expect(try peer.receiveAll().isEmpty)
    }
    #expect(end == .deviceGone(URBStatus.noDevice))
  }

  @Test("a request that takes long holds back what follows it, and nothing is asked of the device")
  func slowBarrier() async throws {
    let end = try await withImport { peer, harness in
      harness.device.holdBarriers()
      try peer.submitControl(1, SetupPacket(requestType: 0x23, request: 3, value: 4, index: 1))
      try harness.device.waitForBarrier()
      // A hundred commands behind it, the last of which unlinks the first of them.
      for seqnum in 2...100 as ClosedRange<UInt32> { try peer.submitIn(seqnum, 4, length: 1) }
      try peer.unlink(101, target: 2)
      harness.device.report([5])
      #expect(harness.device.events.isEmpty)
      harness.device.releaseBarriers()
      #expect(try peer.answer() == .submit(1, 0))
      #expect(try peer.answer() == .submit(2, 0, 1, [0]))
      #expect(try peer.answer() == .unlink(101, 0))
      for seqnum in 3...100 as ClosedRange<UInt32> {
        #expect(try peer.answer() == .submit(seqnum, 0, 1, [0]))
      }
      #expect(harness.device.events.first == .reset)
    }
    #expect(end == .peerClosed)
  }

  @Test(
    "a peer, an agent or a termination is seen during a request that takes long",
    arguments: [SessionEnd.peerClosed, .agentGone, .terminated])
  func endDuringBarrier(expected: SessionEnd) async throws {
    let end = try await withImport { peer, harness in
      try peer.submitIn(1, 1, length: 8)
      harness.device.holdBarriers()
      try peer.submitControl(2, SetupPacket(requestType: 0x23, request: 3, value: 4, index: 1))
      try harness.device.waitForBarrier()
      switch expected {
      case .peerClosed: peer.finishSending()
      case .agentGone: harness.closeAgent()
      default: harness.terminate()
      }
      // The session waits for the device, as it is in the kernel's hands.
      harness.device.releaseBarriers()
    }
    // On a busy machine the peer is gone altogether before the session looks: its answer finds nobody.
    #expect(end == expected || expected == .peerClosed && end == .connectionFailed(32))
  }

  @Test("address, test mode and link power stay with this machine")
  func neverForwarded() async throws {
    let end = try await withImport { peer, harness in
      try peer.submitControl(1, SetupPacket(requestType: 0, request: 5, value: 42))
      #expect(try peer.answer() == .submit(1, 0))
      try peer.submitControl(2, SetupPacket(requestType: 0, request: 3, value: 2, index: 0x0400))
      #expect(try peer.answer() == .submit(2, URBStatus.stall))
      for feature in 48...50 as ClosedRange<UInt16> {
        let seqnum = UInt32(feature)
        try peer.submitControl(seqnum, SetupPacket(requestType: 0, request: 3, value: feature))
        #expect(try peer.answer() == .submit(seqnum, 0))
      }
      #expect(harness.device.events.isEmpty)
    }
    #expect(end == .peerClosed)
  }
}
