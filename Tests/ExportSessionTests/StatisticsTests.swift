// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import ExportSession
import TestSupport
import Testing
import USBIPWire
import USBModel

extension SessionHarness {
  /// What the session has counted.
  func statistics() throws -> SessionStatistics {
    try ask(SessionCalls.statistics, Nothing(), SessionStatistics.self).checked()
  }

  /// What it has counted of one endpoint.
  func counters(_ address: UInt8) throws -> EndpointCounters {
    try #require(try statistics().endpoints.first { $0.address == address })
  }
}

@Suite("URB phase: counters") struct StatisticsTests {
  @Test("URBs, bytes and times of each endpoint")
  func traffic() async throws {
    let end = try await withImport { peer, harness in
      #expect(try harness.statistics().endpoints.isEmpty)
      for seqnum in 1...3 as ClosedRange<UInt32> {
        try peer.submitOut(seqnum * 2, 1, pattern(1000))
        #expect(try peer.answer() == .submit(seqnum * 2, 0, 1000))
        try peer.submitIn(seqnum * 2 + 1, 1, length: 4096)
        #expect(try peer.answer() == .submit(seqnum * 2 + 1, 0, 1000, pattern(1000)))
      }
      try peer.submitControl(
        20, SetupPacket(requestType: 0x80, request: 6, value: 0x0100, length: 64))
      _ = try peer.answer()
      let statistics = try harness.statistics()
      #expect(statistics.elapsed > 0)
      #expect(statistics.refused == 0)
      #expect(statistics.endpoints.map(\.address) == [0x01, 0x80, 0x81])
      for (address, transfer) in [(UInt8(0x01), EndpointCounters.Transfer.bulk), (0x81, .bulk)] {
        let counters = try #require(statistics.endpoints.first { $0.address == address })
        #expect(counters.transfer == transfer)
        #expect(counters.submitted == 3)
        #expect(counters.completed == 3)
        #expect(counters.bytes == 3000)
        #expect(counters.errors == 0)
        #expect(counters.outstanding == 0)
        #expect(counters.maximumOutstanding == 1)
        #expect(counters.latency.reduce(0, +) == 3)
        #expect(counters.waiting == nil)
      }
      #expect(try harness.counters(0x80).bytes == 18)
    }
    #expect(end == .peerClosed)
  }

  @Test("errors by kind; what is taken back is none")
  func errors() async throws {
    let end = try await withImport { peer, harness in
      try peer.submitOut(1, 1, [1, 2, 3])
      _ = try peer.answer()
      try peer.submitIn(2, 1, length: 2)
      #expect(try peer.answer() == .submit(2, URBStatus.babble, 2, [1, 2]))
      for (seqnum, code) in [(UInt32(3), URBStatus.protocolError), (4, -84), (5, -62), (6, -28)] {
        harness.device.refuse([code])
        try peer.submitIn(seqnum, 1, length: 2)
        #expect(try peer.answer() == .submit(seqnum, code))
      }
      harness.device.stall(0x81)
      try peer.submitIn(7, 1, length: 2)
      #expect(try peer.answer() == .submit(7, URBStatus.stall))
      try peer.submitIn(8, 2, length: 8)
      try peer.unlink(9, target: 8)
      #expect(try peer.answer() == .unlink(9, URBStatus.connectionReset))
      // An endpoint the device does not have never gets there.
      try peer.submitIn(10, 9, length: 8)
      _ = try peer.answer()
      let bulk = try harness.counters(0x81)
      #expect(bulk.overflows == 1)
      #expect(bulk.protocolErrors == 3)
      #expect(bulk.otherErrors == 1)
      #expect(bulk.stalls == 1)
      #expect(bulk.errors == 6)
      #expect(bulk.cancelled == 0)
      let interrupt = try harness.counters(0x82)
      #expect(interrupt.cancelled == 1)
      #expect(interrupt.errors == 0)
      #expect(interrupt.latency.isEmpty, "how long it lay there tells nothing of the device")
      let statistics = try harness.statistics()
      #expect(statistics.refused == 1)
      #expect(statistics.unlinks == 1)
    }
    #expect(end == .peerClosed)
  }

  @Test("what waits is seen, and how much at most")
  func waiting() async throws {
    let end = try await withImport { peer, harness in
      for seqnum in 1...5 as ClosedRange<UInt32> { try peer.submitIn(seqnum, 2, length: 8) }
      try harness.device.waitForPending(5)
      let waiting = try harness.counters(0x82)
      #expect(waiting.transfer == .interrupt)
      #expect(waiting.outstanding == 5)
      #expect(waiting.maximumOutstanding == 5)
      #expect(waiting.waiting != nil)
      #expect(!waiting.isOverdue)
      for _ in 1...5 {
        harness.device.report([1])
        _ = try peer.answer()
      }
      let done = try harness.counters(0x82)
      #expect(done.outstanding == 0)
      #expect(done.maximumOutstanding == 5)
      #expect(done.waiting == nil)
    }
    #expect(end == .peerClosed)
  }

  @Test("isochronous packets that failed count, one URB whatever its pieces")
  func isochronous() async throws {
    let end = try await withImport { peer, harness in
      try peer.submitControl(1, SetupPacket(requestType: 0x01, request: 11, value: 1))
      _ = try peer.answer()
      harness.device.failPackets([1])
      let packets = (0..<300).map { IsochronousPacket(offset: UInt32($0 * 8), length: 8) }
      let submit = Submit(
        seqnum: 2, devid: peer.devid, isIn: true, endpoint: 3, length: 2400, packets: 300)
      try peer.send(peer.encoded(submit, packets: packets))
      _ = try peer.answer()
      let counters = try harness.counters(0x83)
      #expect(counters.transfer == .isochronous)
      #expect(counters.completed == 1)
      #expect(counters.maximumOutstanding == 1)
      // Packet 1 of each of the three pieces.
      #expect(counters.protocolErrors == 3)
    }
    #expect(end == .peerClosed)
  }

  /// Limits under which a transfer is overdue after a moment.
  static var impatient: URBPhaseLimits {
    var limits = URBPhaseLimits()
    limits.overdue = .milliseconds(20)
    limits.lookInterval = 5
    return limits
  }

  /// Asks until the endpoint is overdue, or is not any more.
  func wait(_ harness: SessionHarness, _ address: UInt8, isOverdue: Bool) throws {
    let limit = ContinuousClock.now + .seconds(20)
    // The transfer itself may still be on its way.
    func isNow() throws -> Bool {
      try harness.statistics().endpoints.contains { $0.address == address && $0.isOverdue }
    }
    while try isNow() != isOverdue {
      try #require(ContinuousClock.now < limit, "0x\(String(address, radix: 16))")
    }
  }

  @Test("a write, a request and a disk's answer become overdue; a key does not")
  func overdue() async throws {
    let end = try await withImport(limits: Self.impatient) { peer, harness in
      for endpoint: UInt8 in [0x01, 0x81, 0x00, 0x84] { harness.device.hold(endpoint) }
      try peer.submitIn(1, 2, length: 8)
      try peer.submitIn(2, 4, length: 8)
      try peer.submitOut(3, 1, [1])
      try peer.submitIn(4, 1, length: 8)
      try peer.submitControl(5, SetupPacket(requestType: 0xC0, request: 1, length: 8))
      for address: UInt8 in [0x01, 0x81, 0x80] { try wait(harness, address, isOverdue: true) }
      // These two are older than all of them.
      #expect(try !harness.counters(0x82).isOverdue)
      #expect(try !harness.counters(0x84).isOverdue, "its interface is no disk")
      for endpoint: UInt8 in [0x01, 0x00] { harness.device.release(endpoint) }
      for address: UInt8 in [0x01, 0x80] {
        try wait(harness, address, isOverdue: false)
        #expect(try harness.counters(address).overdue == 1)
      }
      #expect(try harness.counters(0x81).isOverdue)
    }
    #expect(end == .peerClosed)
  }

  @Test("of many overdue transfers of one endpoint one is told")
  func overdueOnce() async throws {
    let end = try await withImport(limits: Self.impatient) { peer, harness in
      harness.device.hold(0x01)
      for seqnum in 1...8 as ClosedRange<UInt32> { try peer.submitOut(seqnum, 1, [1]) }
      try wait(harness, 0x01, isOverdue: true)
      // Longer than any of them may take.
      let seen = try #require(try harness.counters(0x01).waiting)
      while try #require(try harness.counters(0x01).waiting) < seen + 100_000 {}
      #expect(try harness.counters(0x01).overdue == 1)
    }
    #expect(end == .peerClosed)
  }

  @Test(
    "a question nobody knows is answered, and what is none too",
    arguments: [
      #"{"method":"org.devconfig.Session.Format"}"#, "garbage", "{}", "[]",
      #"{"method":7}"#,
    ])
  func unknownQuestions(text: String) async throws {
    let end = try await withImport { peer, harness in
      try harness.send(Array(text.utf8) + [0])
      let error = try #require(throws: AgentError.self) {
        _ = try Message.decodeReply(Nothing.self, from: try harness.reply())
      }
      #expect(error.kind == .protocolMismatch)
      #expect(try harness.statistics().endpoints.isEmpty)
      try peer.submitOut(1, 1, [1])
      #expect(try peer.answer() == .submit(1, 0, 1))
    }
    #expect(end == .peerClosed)
  }

  @Test("an agent that asks and goes away ends the session")
  func agentGone() async throws {
    let end = try await withImport { peer, harness in
      for _ in 0..<20 {
        try harness.send(try Message.encode(Call(SessionCalls.statistics, Nothing())))
      }
      harness.closeAgent()
      #expect(try peer.receiveAll().isEmpty)
    }
    #expect(end == .agentGone)
  }
}
