// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import ImportSession
import LinuxHost
import TestSupport
import Testing
import USBIPWire
import USBModel

@Suite("Import session: USB/IP 1.1.1")
struct PlainImportTests {
  private static let device = VirtualDevice.description()
  private static let request: [UInt8] =
    [0x01, 0x11, 0x80, 0x03, 0, 0, 0, 0] + Array("3-2.1".utf8) + [UInt8](repeating: 0, count: 27)

  @Test("the device and its connection are delivered, and what follows the reply is untouched")
  func imports() async throws {
    let agent = try LoopbackPeerAgent()
    let error = try await exchange(agent: agent) { peer in
      #expect(try peer.receive(40) == PlainImportTests.request)
      try peer.send(OperationReply.importReply(PlainImportTests.device) + [0xAB, 0xCD])
    }
    #expect(error == nil)
    let delivery = try #require(agent.received.first)
    #expect(delivery.method == SessionCalls.imported)
    let call = try Message.decode(Call<SessionCalls.Acquired>.self, from: delivery.message)
    #expect(call.parameters.device.busID == PlainImportTests.device.busID)
    #expect(call.parameters.device.deviceNumber == 17)
    #expect(call.parameters.device.speed == .high)
    let rest = LoopbackPeer(try #require(delivery.descriptor).duplicate(), devid: 0)
    #expect(try rest.receive(2) == [0xAB, 0xCD])
  }

  @Test("a reply in single bytes is the same reply")
  func singleBytes() async throws {
    let agent = try LoopbackPeerAgent()
    let error = try await exchange(agent: agent) { peer in
      _ = try peer.receive(40)
      try peer.trickle(OperationReply.importReply(PlainImportTests.device))
    }
    #expect(error == nil)
    #expect(agent.received.map(\.method) == [SessionCalls.imported])
  }

  static let refusals: [(OperationStatus, AgentError.Kind)] = [
    (.busy, .inUse), (.noDevice, .unknownDevice), (.notAvailable, .denied),
    (.deviceError, .failed), (.unexpected, .protocolMismatch),
  ]

  @Test("a refusal has its kind", arguments: refusals.indices)
  func refused(index: Int) async throws {
    let (status, kind) = PlainImportTests.refusals[index]
    let agent = try LoopbackPeerAgent()
    let error = try await exchange(agent: agent) { peer in
      _ = try peer.receive(40)
      try peer.send(OperationReply.failure(.importDevice, status))
    }
    #expect(error?.kind == kind)
    #expect(agent.received.isEmpty)
  }

  static let broken: [[UInt8]] = [
    [0x01, 0x06, 0, 3, 0, 0, 0, 0],
    [0x01, 0x11, 0, 5, 0, 0, 0, 0],
    [0x01, 0x11, 0, 3],
    [],
    Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8),
    Array(OperationReply.importReply(VirtualDevice.description()).dropLast()),
    OperationReply.importReply(VirtualDevice.description(busID: "3-2.2")),
  ]

  @Test("a reply that is none is told as such", arguments: broken.indices)
  func mismatch(index: Int) async throws {
    let agent = try LoopbackPeerAgent()
    let error = try await exchange(agent: agent) { peer in
      _ = try peer.receive(40)
      try peer.send(PlainImportTests.broken[index])
    }
    #expect(error?.kind == .protocolMismatch)
    #expect(agent.received.isEmpty)
  }

  @Test("an exporter that says nothing is given up")
  func silent() async throws {
    let agent = try LoopbackPeerAgent()
    let error = try await exchange(deadline: 100, agent: agent) { peer in
      _ = try peer.receive(40)
      _ = try peer.receiveAll()
    }
    #expect(error?.kind == .timedOut)
  }

  @Test("an exporter that is not there is unreachable")
  func unreachable() async throws {
    let agent = try LoopbackPeerAgent()
    let port = try LoopbackPeerListener().port
    let error = try await BackgroundThread.run {
      try importing(
        SessionCalls.Assignment(
          role: .importDevice, peer: "127.0.0.1:\(port)", address: "127.0.0.1", port: port,
          door: .plain, busID: "3-2.1", deadline: 1000), agent)
    }
    #expect(error?.kind == .unreachable)
    #expect(error?.message.contains("127.0.0.1:\(port)") == true)
  }

  @Test("a device list is delivered with bounded texts")
  func deviceList() async throws {
    let agent = try LoopbackPeerAgent()
    var odd = VirtualDevice.description(busID: "1-1")
    odd.sysfsPath = "/sys/\u{1B}[2Jx"
    let devices = [VirtualDevice.description(), odd]
    let error = try await exchange(.listDevices, agent: agent) { peer in
      #expect(try peer.receive(8) == [0x01, 0x11, 0x80, 0x05, 0, 0, 0, 0])
      try peer.send(OperationReply.deviceList(devices))
    }
    #expect(error == nil)
    let delivery = try #require(agent.received.first)
    #expect(delivery.method == SessionCalls.listed)
    let call = try Message.decode(Call<SessionCalls.DeviceList>.self, from: delivery.message)
    #expect(call.parameters.devices.map(\.busID.description) == ["3-2.1", "1-1"])
    #expect(call.parameters.devices.last?.sysfsPath == "/sys/[2Jx")
    #expect(call.parameters.devices.first?.interfaces.map(\.classCode.baseClass) == [8, 0xFF])
  }
}

@Suite("Import session: our own agents")
struct AgentImportTests {
  private static let device = VirtualDevice.description()

  private static func reply() throws -> [UInt8] {
    try Message.encode(Reply(ExporterCalls.ImportResults(device: device)))
  }

  /// The call up to its NUL.
  private static func readCall(
    _ peer: borrowing LoopbackPeer
  ) throws -> Call<ExporterCalls.ImportParameters> {
    var framer = MessageFramer()
    while true {
      try framer.append(try peer.receive(1))
      if let message = try framer.next() {
        return try Message.decode(Call<ExporterCalls.ImportParameters>.self, from: message)
      }
    }
  }

  @Test("the call says who asks, and not one byte behind the reply is read")
  func imports() async throws {
    let agent = try LoopbackPeerAgent()
    let error = try await exchange(door: .agent, agent: agent) { peer in
      let call = try AgentImportTests.readCall(peer)
      #expect(call.method == ExporterCalls.importDevice)
      #expect(call.upgrade == true)
      #expect(
        call.parameters
          == ExporterCalls.ImportParameters(busid: "3-2.1", user: "ann", host: "desk-7"))
      try peer.send(try AgentImportTests.reply() + [0, 0, 0, 1])
    }
    #expect(error == nil)
    let delivery = try #require(agent.received.first)
    let call = try Message.decode(Call<SessionCalls.Acquired>.self, from: delivery.message)
    #expect(call.parameters.device.product == "Loopback")
    let rest = LoopbackPeer(try #require(delivery.descriptor).duplicate(), devid: 0)
    #expect(try rest.receive(4) == [0, 0, 0, 1])
  }

  @Test("a reply in single bytes is the same reply")
  func singleBytes() async throws {
    let agent = try LoopbackPeerAgent()
    let error = try await exchange(door: .agent, agent: agent) { peer in
      _ = try AgentImportTests.readCall(peer)
      try peer.trickle(try AgentImportTests.reply())
    }
    #expect(error == nil)
    #expect(agent.received.count == 1)
  }

  @Test("a refusal brings the exporter's kind and its words, made fit to be shown")
  func refused() async throws {
    let agent = try LoopbackPeerAgent()
    let words = "3-2.1 is in use by bob@desk-2"
    let error = try await exchange(door: .agent, agent: agent) { peer in
      _ = try AgentImportTests.readCall(peer)
      let refusal = AgentError(.inUse, words + "\u{07}", hint: "rm -rf /")
      try peer.send(
        try Message.encode(ErrorReply(refusal, interface: ExporterCalls.interface)))
    }
    #expect(error == AgentError(.inUse, words))
  }

  static let broken: [[UInt8]] = [
    [], Array("{}".utf8), Array("{}\0".utf8), Array("nonsense\0".utf8),
    OperationReply.failure(.importDevice, .unexpected),
    Array(#"{"parameters":{"device":{"busID":"../1"}}}"#.utf8) + [0],
  ]

  @Test("a reply that is none is told as such", arguments: broken.indices)
  func mismatch(index: Int) async throws {
    let agent = try LoopbackPeerAgent()
    let error = try await exchange(door: .agent, agent: agent) { peer in
      _ = try AgentImportTests.readCall(peer)
      try peer.send(AgentImportTests.broken[index])
    }
    #expect(error?.kind == .protocolMismatch)
    #expect(agent.received.isEmpty)
  }

  @Test("a reply without end is cut off at the limit")
  func endless() async throws {
    let agent = try LoopbackPeerAgent()
    let error = try await exchange(door: .agent, agent: agent) { peer in
      _ = try AgentImportTests.readCall(peer)
      // Until the session gives up and closes.
      try? peer.send([UInt8](repeating: UInt8(ascii: "{"), count: 4 * Message.maximumLength))
    }
    #expect(error?.kind == .protocolMismatch)
  }

  @Test("impossible numbers are refused")
  func numbers() async throws {
    let agent = try LoopbackPeerAgent()
    var device = AgentImportTests.device
    device.deviceNumber = 0x1_0000
    let reply = try Message.encode(Reply(ExporterCalls.ImportResults(device: device)))
    let error = try await exchange(door: .agent, agent: agent) { peer in
      _ = try AgentImportTests.readCall(peer)
      try peer.send(reply)
    }
    #expect(error?.kind == .protocolMismatch)
  }
}
