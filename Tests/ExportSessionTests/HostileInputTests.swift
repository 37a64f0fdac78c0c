// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import ExportSession
import TestSupport
import Testing
import USBIPWire
import USBModel

/// What a peer may send that no importer would, and that can be answered: the stream stays in step.
///
/// The rows are those of docs/testing.md.
@Suite("Hostile peers: what is answered")
struct HostileInputTests {
  @Test("row 9: an absent endpoint is answered behind its payload", arguments: [0, -1, Int32.min])
  func absentEndpoint(packets: Int32) async throws {
    let end = try await withImport { peer, harness in
      let out = Submit(
        seqnum: 1, devid: peer.devid, isIn: false, endpoint: 9, length: 300_000, packets: packets)
      let echoed: Int32 = packets == -1 ? -1 : 0
      let status = URBStatus.noEntry
      try peer.send(peer.encoded(out, payload: pattern(300_000)))
      #expect(
        try peer.answer().reply == .submit(SubmitReply(seqnum: 1, status: status, packets: echoed)))
      var back = out
      back.isIn = true
      try peer.send(peer.encoded(back))
      #expect(
        try peer.answer().reply == .submit(SubmitReply(seqnum: 1, status: status, packets: echoed)))
      try peer.expectService()
      #expect(harness.device.events == [.submitted(endpointAddress: 0x84, length: 2)])
    }
    #expect(end == .peerClosed)
  }

  @Test("row 14: a control transfer that contradicts itself is answered behind its payload")
  func controlMismatch() async throws {
    let end = try await withImport { peer, harness in
      let devid = peer.devid
      // wLength 10 with 4 bytes on the wire; then IN on the wire, OUT in the setup packet, and back.
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
      let back = Submit(
        seqnum: 2, devid: devid, isIn: false, endpoint: 0, length: 3,
        setup: SetupPacket(requestType: 0xC0, request: 1, length: 3))
      try peer.send(peer.encoded(back, payload: [1, 2, 3]))
      #expect(try peer.answer() == .submit(2, URBStatus.stall))
      #expect(harness.device.events.isEmpty)
      // More on the wire than wLength: the setup packet counts.
      let long = Submit(
        seqnum: 3, devid: devid, isIn: false, endpoint: 0, length: 6,
        setup: SetupPacket(requestType: 0x40, request: 1, length: 2))
      try peer.send(peer.encoded(long, payload: [1, 2, 3, 4, 5, 6]))
      #expect(try peer.answer() == .submit(3, 0, 2))
      #expect(harness.device.events == [.submitted(endpointAddress: 0, length: 10)])
      try peer.expectService()
    }
    #expect(end == .peerClosed)
  }

  @Test("row 15: a setup packet for an endpoint that is not a control endpoint means nothing")
  func setupElsewhere() async throws {
    let end = try await withImport { peer, harness in
      // SET_CONFIGURATION 2, a port reset and a long vendor request, on bulk and interrupt endpoints.
      let setups = [
        SetupPacket(requestType: 0, request: 9, value: 2),
        SetupPacket(requestType: 0x23, request: 3, value: 4, index: 1),
        SetupPacket(requestType: 0xC0, request: 1, length: 0xFFFF),
      ]
      for (index, setup) in setups.enumerated() {
        let seqnum = UInt32(index * 3 + 1)
        let out = Submit(
          seqnum: seqnum, devid: peer.devid, isIn: false, endpoint: 1, length: 3, setup: setup)
        try peer.send(peer.encoded(out, payload: [1, 2, 3]))
        #expect(try peer.answer() == .submit(seqnum, 0, 3))
        let back = Submit(
          seqnum: seqnum + 1, devid: peer.devid, isIn: true, endpoint: 1, length: 8, setup: setup)
        try peer.send(peer.encoded(back))
        #expect(try peer.answer() == .submit(seqnum + 1, 0, 3, [1, 2, 3]))
        harness.device.report([9])
        let report = Submit(
          seqnum: seqnum + 2, devid: peer.devid, isIn: true, endpoint: 2, length: 8, setup: setup)
        try peer.send(peer.encoded(report))
        #expect(try peer.answer() == .submit(seqnum + 2, 0, 1, [9]))
      }
      let changes = harness.device.events.filter { if case .submitted = $0 { false } else { true } }
      #expect(changes.isEmpty)
      try peer.expectService()
    }
    #expect(end == .peerClosed)
  }

  static let refused: [SetupPacket] = [
    // TEST_MODE; an unknown configuration and one beyond a byte; altsettings and interfaces that are
    // not there, and beyond a byte; halts of endpoints beyond what an address says.
    SetupPacket(requestType: 0, request: 3, value: 2, index: 0x0400),
    SetupPacket(requestType: 0, request: 9, value: 9),
    SetupPacket(requestType: 0, request: 9, value: 0x0102),
    SetupPacket(requestType: 1, request: 11, value: 7),
    SetupPacket(requestType: 1, request: 11, value: 0, index: 9),
    SetupPacket(requestType: 1, request: 11, value: 300, index: 1),
    SetupPacket(requestType: 1, request: 11, value: 1, index: 0xFFFF),
    SetupPacket(requestType: 2, request: 1, index: 0x0184),
    SetupPacket(requestType: 2, request: 1, index: 0x0044),
  ]

  @Test(
    "row 20: requests that must not reach the device are refused and change nothing",
    arguments: refused.indices)
  func refusedRequest(index: Int) async throws {
    let end = try await withImport { peer, harness in
      try peer.submitIn(1, 2, length: 8)
      try peer.submitControl(2, HostileInputTests.refused[index])
      #expect(try peer.answer() == .submit(2, URBStatus.stall))
      #expect(harness.device.events == [.submitted(endpointAddress: 0x82, length: 8)])
      // The interface, its endpoints and what is under way are as before.
      harness.device.report([5])
      #expect(try peer.answer() == .submit(1, 0, 1, [5]))
      try peer.expectService()
    }
    #expect(end == .peerClosed)
  }

  @Test("row 20: the device never gets another address", arguments: [0, 42, 0xFFFF] as [UInt16])
  func address(value: UInt16) async throws {
    let end = try await withImport { peer, harness in
      try peer.submitControl(1, SetupPacket(requestType: 0, request: 5, value: value))
      #expect(try peer.answer() == .submit(1, 0))
      #expect(harness.device.events.isEmpty)
      try peer.expectService()
    }
    #expect(end == .peerClosed)
  }

  @Test("row 21: flags that would make a kernel free or map memory never reach the device")
  func flags() async throws {
    let end = try await withImport { peer, _ in
      // All bits set: SHORT_NOT_OK is honoured for IN, the kernel's own flags are not.
      let all = TransferFlags(rawValue: 0xFFFF_FFFF)
      try peer.submitOut(1, 1, [9], flags: all)
      #expect(try peer.answer() == .submit(1, 0, 1))
      try peer.submitIn(2, 1, length: 4, flags: all)
      #expect(try peer.answer() == .submit(2, URBStatus.shortTransfer, 1, [9]))
      try peer.submitIn(3, 4, length: 3, flags: all)
      #expect(try peer.answer() == .submit(3, 0, 3, [0, 7, 14]))
      try peer.expectService()
    }
    #expect(end == .peerClosed)
  }

  @Test(
    "row 22: interval and start frame may be anything",
    arguments: [-1, 1, Int32.min, .max], [-1, 0, Int32.min, .max])
  func ignored(interval: Int32, startFrame: Int32) async throws {
    let end = try await withIsochronous { peer, _ in
      let bulk = Submit(
        seqnum: 2, devid: peer.devid, isIn: true, endpoint: 4, length: 3, startFrame: startFrame,
        interval: interval)
      try peer.send(peer.encoded(bulk))
      #expect(try peer.answer() == .submit(2, 0, 3, [0, 7, 14]))
      let isochronous = Submit(
        seqnum: 3, devid: peer.devid, isIn: true, endpoint: 3, length: 8, startFrame: startFrame,
        packets: 1, interval: interval)
      try peer.send(
        peer.encoded(isochronous, packets: [IsochronousPacket(offset: 0, length: 8)]))
      #expect(
        try peer.answer().reply
          == .submit(SubmitReply(seqnum: 3, status: 0, actualLength: 8, packets: 1)))
      try peer.expectService()
    }
    #expect(end == .peerClosed)
  }
}
