// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import ExportSession
import LinuxHost
import TestSupport
import Testing
import USBIPWire
import USBModel

@Suite("URB phase: capture") struct CaptureTests {
  @Test("what goes by is written as usbmon would")
  func packets() async throws {
    let end = try await withImport { peer, harness in
      let reader = try CaptureReader()
      try harness.capture(reader)
      let opening = try reader.block()
      #expect(CaptureReader.number(opening, 0) == 0x0A0D_0D0A)
      #expect(CaptureReader.number(opening, 8) == 0x1A2B_3C4D)
      let section = Int(CaptureReader.number(opening, 4))
      #expect(CaptureReader.number(opening, section) == 1)
      #expect(CaptureReader.number(opening, section + 8) == 220)

      try peer.submitOut(0x11, 1, [1, 2, 3])
      _ = try peer.answer()
      try peer.submitIn(0x12, 1, length: 8)
      _ = try peer.answer()
      try peer.submitControl(
        0x13, SetupPacket(requestType: 0x80, request: 6, value: 0x0100, length: 4))
      _ = try peer.answer()
      try peer.submitIn(0x14, 2, length: 8)
      try peer.unlink(0x15, target: 0x14)
      _ = try peer.answer()

      func packet(
        _ kind: Character, _ id: UInt64, _ pipe: UInt8, _ address: UInt8, _ status: Int32,
        _ length: UInt32, setup: [UInt8] = [], _ data: [UInt8] = []
      ) -> CaptureReader.Packet {
        CaptureReader.Packet(
          kind: kind, id: id, pipe: pipe, endpointAddress: address, device: 17, bus: 3,
          status: status, length: length, setup: setup, descriptors: [], data: data)
      }
      #expect(try reader.packet() == packet("S", 0x11, 3, 0x01, -115, 3, [1, 2, 3]))
      #expect(try reader.packet() == packet("C", 0x11, 3, 0x01, 0, 3))
      #expect(try reader.packet() == packet("S", 0x12, 3, 0x81, -115, 8))
      #expect(try reader.packet() == packet("C", 0x12, 3, 0x81, 0, 3, [1, 2, 3]))
      #expect(
        try reader.packet()
          == packet("S", 0x13, 2, 0x80, -115, 4, setup: [0x80, 6, 0, 1, 0, 0, 4, 0]))
      #expect(
        try reader.packet()
          == packet("C", 0x13, 2, 0x80, 0, 4, Array(VirtualDevice.descriptorBytes.prefix(4))))
      #expect(try reader.packet() == packet("S", 0x14, 1, 0x82, -115, 8))
      #expect(try reader.packet() == packet("C", 0x14, 1, 0x82, URBStatus.noEntry, 0))
      #expect(
        try harness.statistics().capture == SessionStatistics.Capture(recorded: 8, dropped: 0))

      reader.stop()
      let closing = try reader.block()
      #expect(CaptureReader.number(closing, 0) == 5)
      #expect(CaptureReader.number(closing, 24) == 8)
      #expect(try reader.block().isEmpty)
      #expect(try harness.statistics().capture == nil)
    }
    #expect(end == .peerClosed)
  }

  @Test("isochronous data lies where its descriptors say")
  func isochronous() async throws {
    let end = try await withImport { peer, harness in
      try peer.submitControl(1, SetupPacket(requestType: 1, request: 11, value: 1))
      _ = try peer.answer()
      let reader = try CaptureReader()
      try harness.capture(reader)
      _ = try reader.block()
      let packets = (0..<3).map { IsochronousPacket(offset: UInt32($0 * 10), length: 8) }
      let submit = Submit(
        seqnum: 2, devid: peer.devid, isIn: true, endpoint: 3, length: 30, packets: 3)
      try peer.send(peer.encoded(submit, packets: packets))
      let answer = try peer.answer()
      let submitted = try #require(try reader.packet())
      #expect(submitted.descriptors.map { CaptureReader.number($0, 4) } == [0, 10, 20])
      #expect(submitted.descriptors.map { CaptureReader.number($0, 8) } == [8, 8, 8])
      #expect(submitted.data.isEmpty)
      let ended = try #require(try reader.packet())
      // Packet n brings n bytes less than asked for.
      #expect(ended.descriptors.map { CaptureReader.number($0, 4) } == [0, 8, 15])
      #expect(ended.descriptors.map { CaptureReader.number($0, 8) } == [8, 7, 6])
      #expect(ended.data == answer.data)
      #expect(ended.length == 21)
    }
    #expect(end == .peerClosed)
  }

  @Test("only as much data is kept as was asked for")
  func snapLength() async throws {
    let end = try await withImport { peer, harness in
      let reader = try CaptureReader()
      try harness.capture(reader, snapLength: 2)
      _ = try reader.block()
      try peer.submitOut(1, 1, pattern(1 << 20))
      _ = try peer.answer()
      let packet = try #require(try reader.packet())
      #expect(packet.length == 1 << 20)
      #expect(packet.data == Array(pattern(1 << 20).prefix(2)))
    }
    #expect(end == .peerClosed)
  }

  @Test("a reader that does not read costs packets, never the transfers")
  func slowReader() async throws {
    let end = try await withImport { peer, harness in
      let reader = try CaptureReader()
      try harness.capture(reader)
      let count: UInt32 = 400
      for seqnum in 1...count {
        try peer.submitIn(seqnum, 4, length: 65_536)
        #expect(try peer.answer().data.count == 65_536)
      }
      let capture = try #require(try harness.statistics().capture)
      #expect(capture.dropped > 0)
      #expect(capture.recorded > 0)
      #expect(capture.recorded + capture.dropped == UInt64(2 * count))
      // With room again it goes on, and says at its end how much is missing.
      _ = try reader.block()
      for _ in 0..<capture.recorded { _ = try reader.block() }
      try peer.submitIn(9999, 4, length: 1)
      _ = try peer.answer()
      #expect(try reader.packet()?.id == 9999)
      #expect(try reader.packet()?.data == [0])
      reader.stop()
      let closing = try reader.block()
      #expect(CaptureReader.number(closing, 0) == 5)
      #expect(UInt64(CaptureReader.number(closing, 36)) == capture.dropped)
    }
    #expect(end == .peerClosed)
  }

  @Test("a second capture is refused, and possible once the first has ended")
  func second() async throws {
    let end = try await withImport { peer, harness in
      let first = try CaptureReader()
      try harness.capture(first)
      let second = try CaptureReader()
      let error = try #require(throws: AgentError.self) { try harness.capture(second) }
      #expect(error.kind == .inUse)
      first.stop()
      _ = try first.block()
      #expect(CaptureReader.number(try first.block(), 0) == 5)
      #expect(try first.block().isEmpty)
      try harness.capture(second)
      try peer.submitOut(1, 1, [1])
      _ = try peer.answer()
      _ = try second.block()
      #expect(try second.packet()?.data == [1])
    }
    #expect(end == .peerClosed)
  }

  @Test("a reader that vanished ends the capture alone")
  func vanished() async throws {
    let end = try await withImport { peer, harness in
      do {
        let reader = try CaptureReader()
        try harness.capture(reader)
      }
      for seqnum in 1...20 as ClosedRange<UInt32> {
        try peer.submitIn(seqnum, 4, length: 8)
        #expect(try peer.answer().data.count == 8)
      }
      #expect(try harness.statistics().capture == nil)
    }
    #expect(end == .peerClosed)
  }

  @Test("the end of the device ends the capture in order")
  func unplugged() async throws {
    let end = try await withImport { _, harness in
      let reader = try CaptureReader()
      try harness.capture(reader)
      _ = try reader.block()
      harness.device.unplug()
      #expect(CaptureReader.number(try reader.block(), 0) == 5)
      #expect(try reader.block().isEmpty)
    }
    #expect(end == .deviceGone(-19))
  }

  @Test("without a socket there is no capture; with one that is none it ends")
  func noSocket() async throws {
    let end = try await withImport { peer, harness in
      let error = try #require(throws: AgentError.self) {
        _ = try harness.ask(
          SessionCalls.capture, SessionCalls.CaptureParameters(snapLength: 1), Nothing.self)
      }
      #expect(error.kind == .protocolMismatch)
      try peer.submitOut(1, 1, [1])
      #expect(try peer.answer() == .submit(1, 0, 1))
    }
    #expect(end == .peerClosed)
  }
}
