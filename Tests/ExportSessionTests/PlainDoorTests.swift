// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import ExportSession
import TestSupport
import Testing
import USBIPWire
import USBModel

@Suite("Operation phase: USB/IP 1.1.1")
struct PlainDoorTests {
  private static let listRequest: [UInt8] = [0x01, 0x11, 0x80, 0x05, 0, 0, 0, 0]

  @Test("a list is answered with what the agent exports, then the session ends")
  func deviceList() async throws {
    let devices = [
      VirtualDevice.description(), VirtualDevice.description(busID: "1-1"),
    ]
    let end = try await withSession(listed: devices) { peer, harness in
      try peer.send(PlainDoorTests.listRequest)
      let reply = try peer.receiveAll()
      // 12 bytes, and for each device 312 bytes and two interfaces of 4 bytes.
      #expect(reply.count == 12 + 2 * 320)
      #expect(Array(reply[..<12]) == [0x01, 0x11, 0, 5, 0, 0, 0, 0, 0, 0, 0, 2])
      #expect(Array(reply[12 + 256..<12 + 256 + 6]) == padded("3-2.1", to: 6))
      #expect(Array(reply[12 + 320 + 256..<12 + 320 + 256 + 4]) == padded("1-1", to: 4))
      #expect(harness.acquired.isEmpty)
    }
    #expect(end == .answered)
  }

  @Test("an import echoes the bus ID and brings the numbers of the device")
  func importDevice() async throws {
    let end = try await withSession { peer, harness in
      try peer.send(importRequest)
      let reply = try peer.receive(320)
      #expect(Array(reply[..<8]) == [0x01, 0x11, 0, 3, 0, 0, 0, 0])
      #expect(Array(reply[264..<296]) == padded("3-2.1", to: 32))
      #expect(Array(reply[296..<308]) == [0, 0, 0, 3, 0, 0, 0, 17, 0, 0, 0, 3])
      #expect(harness.acquired == [SessionCalls.AcquireParameters(busID: "3-2.1")])
    }
    #expect(end == .peerClosed)
  }

  @Test("the agent describes the device under another name: the peer's name counts")
  func echo() async throws {
    let end = try await withSession(answer: .device(VirtualDevice.description(busID: "9-9"))) {
      peer, _ in
      try peer.send(importRequest)
      #expect(Array(try peer.receive(320)[264..<296]) == padded("3-2.1", to: 32))
    }
    #expect(end == .peerClosed)
  }

  static let refusals: [(AgentError.Kind, UInt8)] = [
    (.inUse, 2), (.unknownDevice, 4), (.denied, 1), (.failed, 3), (.protocolMismatch, 5),
  ]

  @Test("a refusal is told in the protocol's words", arguments: refusals.indices)
  func refused(index: Int) async throws {
    let (kind, status) = PlainDoorTests.refusals[index]
    let end = try await withSession(answer: .error(AgentError(kind, "no"))) { peer, _ in
      try peer.send(importRequest)
      #expect(try peer.receiveAll() == [0x01, 0x11, 0, 3, 0, 0, 0, status])
    }
    #expect(end == .answered)
  }

  @Test("a refusal arrives although the client sends on")
  func refusedWhilePipelining() async throws {
    let end = try await withSession(answer: .error(AgentError(.inUse, "no"))) { peer, _ in
      try peer.send(importRequest + [UInt8](repeating: 1, count: 48))
      #expect(try peer.receiveAll() == [0x01, 0x11, 0, 3, 0, 0, 0, 2])
    }
    #expect(end == .answered)
  }

  @Test(
    "another protocol's first byte gets no reply", arguments: [0x16, 0x47, 0x00, 0xFF] as [UInt8])
  func otherProtocols(first: UInt8) async throws {
    let end = try await withSession { peer, _ in
      try peer.send([first, 0x03, 0x01, 0x02])
      #expect(try peer.receiveAll().isEmpty)
    }
    #expect(end == .unknownDoor(first))
  }

  @Test("row 3: dripping bytes do not move the deadline")
  func drip() async throws {
    let end = try await withSession(deadline: 200) { peer, _ in
      // Until the session closes; the second half of the request never comes.
      var sent = 0
      while sent < 20, (try? peer.send([importRequest[sent]])) != nil {
        sent += 1
        try peer.pause(milliseconds: 15)
      }
      #expect(try peer.receiveAll().isEmpty)
    }
    #expect(end == .timedOut)
  }

  @Test("commands sent along with the request are carried out after the reply")
  func pipelined() async throws {
    let end = try await withSession { peer, _ in
      var bytes = importRequest
      for seqnum in 1...20 as ClosedRange<UInt32> {
        bytes += peer.encoded(
          Submit(seqnum: seqnum, devid: peer.devid, isIn: true, endpoint: 4, length: 2))
      }
      try peer.send(bytes)
      #expect(try peer.receive(320).count == 320)
      for seqnum in 1...20 as ClosedRange<UInt32> {
        #expect(try peer.answer() == .submit(seqnum, 0, 2, [0, 7]))
      }
    }
    #expect(end == .peerClosed)
  }
}
