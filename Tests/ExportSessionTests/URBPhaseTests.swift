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

  @Test("the largest transfer of the wire goes through, one byte more ends the session")
  func largest() async throws {
    let largest = WireLimits.maximumTransferLength
    let end = try await withImport { peer, _ in
      try peer.submitIn(1, 4, length: largest)
      let answer = try peer.answer()
      #expect(answer.data.count == largest)
      #expect(answer.data.last == UInt8(truncatingIfNeeded: (largest - 1) &* 7))
      try peer.submitIn(2, 4, length: largest + 1)
      #expect(try peer.receiveAll().isEmpty)
    }
    #expect(end == .violation(.lengthOutOfRange(Int32(largest + 1))))
  }

  @Test("control transfers carry any length of the data stage", arguments: [0, 1, 4096, 65_535])
  func control(length: UInt16) async throws {
    let end = try await withImport { peer, _ in
      let payload = pattern(Int(length))
      try peer.submitControl(
        7, SetupPacket(requestType: 0x40, request: 1, length: length), payload: payload)
      #expect(try peer.answer() == .submit(7, 0, Int32(length)))
      try peer.submitControl(8, SetupPacket(requestType: 0xC0, request: 1, length: length))
      #expect(try peer.answer() == .submit(8, 0, Int32(length), payload))
    }
    #expect(end == .peerClosed)
  }

  @Test("a short descriptor comes with its own length and the setup packet is not in the way")
  func shortControl() async throws {
    let end = try await withImport { peer, _ in
      try peer.submitControl(
        3, SetupPacket(requestType: 0x80, request: 6, value: 0x0100, length: 64))
      #expect(
        try peer.answer() == .submit(3, 0, 18, Array(VirtualDevice.descriptorBytes.prefix(18))))
      try peer.submitControl(4, SetupPacket(requestType: 0xC0, request: 99, length: 4))
      #expect(try peer.answer() == .submit(4, URBStatus.stall))
    }
    #expect(end == .peerClosed)
  }

  @Test("interrupt transfers wait for a report and end in order")
  func interrupt() async throws {
    let end = try await withImport { peer, harness in
      try peer.submitIn(1, 2, length: 8)
      try peer.submitIn(2, 2, length: 8)
      try peer.submitControl(
        3, SetupPacket(requestType: 0x80, request: 6, value: 0x0100, length: 1))
      // The control transfer's answer shows that both others were submitted and wait.
      #expect(try peer.answer() == .submit(3, 0, 1, [18]))
      harness.device.report([1, 2, 3])
      harness.device.report([4])
      #expect(try peer.answer() == .submit(1, 0, 3, [1, 2, 3]))
      #expect(try peer.answer() == .submit(2, 0, 1, [4]))
    }
    #expect(end == .peerClosed)
  }

  @Test("short, long and stalled transfers keep their exact status and their data")
  func statuses() async throws {
    let end = try await withImport { peer, harness in
      try peer.submitOut(1, 1, [1, 2, 3])
      #expect(try peer.answer() == .submit(1, 0, 3))
      try peer.submitIn(2, 1, length: 4, flags: [.shortNotOK])
      #expect(try peer.answer() == .submit(2, URBStatus.shortTransfer, 3, [1, 2, 3]))
      try peer.submitOut(3, 1, [1, 2, 3])
      #expect(try peer.answer() == .submit(3, 0, 3))
      try peer.submitIn(4, 1, length: 2)
      #expect(try peer.answer() == .submit(4, URBStatus.babble, 2, [1, 2]))
      harness.device.stall(0x81)
      try peer.submitIn(5, 1, length: 2)
      #expect(try peer.answer() == .submit(5, URBStatus.stall))
    }
    #expect(end == .peerClosed)
  }

  @Test("number_of_packets comes back as clients want it", arguments: [0, -1, 7, Int32.max])
  func packets(count: Int32) async throws {
    let end = try await withImport { peer, _ in
      let submit = Submit(
        seqnum: 9, devid: peer.devid, isIn: true, endpoint: 4, length: 1, packets: count)
      try peer.send(peer.encoded(submit))
      let reply = SubmitReply(
        seqnum: 9, status: 0, actualLength: 1, packets: count == -1 ? -1 : 0)
      #expect(try peer.answer() == LoopbackPeer.Answer(reply: .submit(reply), data: [0]))
    }
    #expect(end == .peerClosed)
  }

  @Test("a submit that the kernel refuses answers this URB and no more")
  func refusals() async throws {
    let end = try await withImport { peer, harness in
      // ENOSPC, EMSGSIZE, EINVAL go through; EHOSTUNREACH means unconfigured.
      for (code, expected): (Int32, Int32) in [(-28, -28), (-90, -90), (-22, -22), (-113, -32)] {
        harness.device.refuse([code])
        try peer.submitIn(1, 4, length: 8)
        #expect(try peer.answer() == .submit(1, expected))
      }
      // For control usbfs's EINVAL and ENOENT stand for a recipient that does not exist.
      for code: Int32 in [-22, -2] {
        harness.device.refuse([code])
        try peer.submitControl(2, SetupPacket(requestType: 0xC1, request: 1, length: 8))
        #expect(try peer.answer() == .submit(2, URBStatus.stall))
      }
      try peer.submitIn(3, 4, length: 1)
      #expect(try peer.answer() == .submit(3, 0, 1, [0]))
    }
    #expect(end == .peerClosed)
  }

  @Test("memory the kernel lacks is waited for as long as something is under way")
  func outOfMemory() async throws {
    let end = try await withImport { peer, harness in
      harness.device.refuse([URBStatus.outOfMemory])
      try peer.submitIn(1, 4, length: 8)
      #expect(try peer.answer() == .submit(1, URBStatus.outOfMemory), "nothing is under way")
      try peer.submitIn(2, 2, length: 8)
      try peer.submitIn(3, 4, length: 1)
      #expect(try peer.answer() == .submit(3, 0, 1, [0]))
      harness.device.refuse([URBStatus.outOfMemory, URBStatus.outOfMemory])
      try peer.submitIn(4, 4, length: 2)
      #expect(try peer.answer() == .submit(4, 0, 2, [0, 7]), "tried again until there was some")
    }
    #expect(end == .peerClosed)
  }

  @Test("memory that never comes is not waited for without end")
  func outOfMemoryForGood() async throws {
    var limits = URBPhaseLimits()
    limits.memoryPatience = .milliseconds(50)
    let end = try await withImport(limits: limits) { peer, harness in
      try peer.submitIn(1, 2, length: 8)
      try peer.submitIn(3, 4, length: 1)
      #expect(try peer.answer() == .submit(3, 0, 1, [0]))
      harness.device.refuse(Array(repeating: URBStatus.outOfMemory, count: 100_000))
      try peer.submitIn(2, 4, length: 2)
      #expect(try peer.answer() == .submit(2, URBStatus.outOfMemory))
    }
    #expect(end == .peerClosed)
  }
}
