// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import TestSupport
import USBIPWire
import USBModel

/// What an importer sends in one session with the virtual device, message by message.
struct SessionRecording: Sendable {
  /// Each with its payload and its packet descriptors.
  private(set) var messages: [[UInt8]] = []
  private var seqnum: UInt32
  private let step: UInt32

  /// Starts empty; `seqnum` is the first number, and each one is `step` above the one before.
  private init(seqnum: UInt32, step: UInt32 = 1) {
    self.seqnum = seqnum
    self.step = step
  }

  /// All of it as it goes over the wire.
  var bytes: [UInt8] { messages.flatMap(\.self) }

  @discardableResult
  private mutating func submit(
    _ endpoint: UInt8, isIn: Bool, length: Int, flags: TransferFlags = [],
    setup: SetupPacket = SetupPacket(requestType: 0, request: 0),
    packets: [IsochronousPacket]? = nil
  ) -> UInt32 {
    let submit = Submit(
      seqnum: seqnum, devid: VirtualDevice.description().devid, isIn: isIn, endpoint: endpoint,
      flags: flags, length: length, packets: Int32(packets?.count ?? (step == 1 ? 0 : -1)),
      interval: 4, setup: setup)
    var message = [UInt8](repeating: 0, count: URBCommand.headerLength)
    message.withUnsafeMutableBytes { submit.encode(into: $0) }
    message += isIn ? [] : pattern(length)
    for packet in packets ?? [] {
      var bytes = [UInt8](repeating: 0, count: IsochronousPacket.size)
      bytes.withUnsafeMutableBytes { packet.encode(into: $0, index: 0) }
      message += bytes
    }
    messages.append(message)
    defer { seqnum &+= step }
    return seqnum
  }

  private mutating func control(_ setup: SetupPacket) {
    submit(0, isIn: setup.isIn, length: Int(setup.length), setup: setup)
  }

  private mutating func isochronous(isIn: Bool, packets count: Int, length: Int, gap: Int) {
    let packets = (0..<count).map {
      IsochronousPacket(offset: UInt32($0 * (length + gap)), length: UInt32(length))
    }
    submit(
      3, isIn: isIn, length: count * (length + gap), flags: .isochronousASAP, packets: packets)
  }

  private mutating func unlink(_ target: UInt32) {
    var message = [UInt8](repeating: 0, count: URBCommand.headerLength)
    let unlink = Unlink(seqnum: seqnum, devid: VirtualDevice.description().devid, target: target)
    message.withUnsafeMutableBytes { unlink.encode(into: $0) }
    messages.append(message)
    seqnum &+= step
  }

  // MARK: What is recorded

  private static let alternate = SetupPacket(requestType: 1, request: 11, value: 1)

  /// An import and something of everything behind it, short enough to be cut at every byte.
  static let everything: SessionRecording = {
    var session = SessionRecording(seqnum: 1)
    session.messages = [importRequest]
    session.control(SetupPacket(requestType: 0x40, request: 1, length: 5))
    session.control(alternate)
    session.submit(1, isIn: false, length: 20)
    session.submit(1, isIn: true, length: 32)
    let waiting = session.submit(2, isIn: true, length: 8)
    session.submit(2, isIn: true, length: 8)
    session.isochronous(isIn: false, packets: 3, length: 6, gap: 2)
    session.isochronous(isIn: true, packets: 3, length: 8, gap: 0)
    session.submit(9, isIn: false, length: 7)
    session.unlink(waiting)
    return session
  }()

  /// Whole connections that are mutated: both doors, and a request for the list.
  static let connections: [SessionRecording] = {
    var agent = everything
    let call = Call(
      ExporterCalls.importDevice,
      ExporterCalls.ImportParameters(busid: "3-2.1", user: "ann", host: "desk-7"), upgrade: true)
    agent.messages[0] = (try? Message.encode(call)) ?? []
    var list = SessionRecording(seqnum: 1)
    list.messages = [OperationRequestEncoder.deviceList()]
    return [everything, agent, list]
  }()

  /// The URB phases that are mutated.
  static let all: [SessionRecording] = [enumeration, disk, sound, mouse, windows, long]

  private static let enumeration: SessionRecording = {
    var session = SessionRecording(seqnum: 1000)
    session.control(SetupPacket(requestType: 0x80, request: 6, value: 0x0100, length: 64))
    session.control(SetupPacket(requestType: 0x80, request: 6, value: 0x0100, length: 18))
    session.control(SetupPacket(requestType: 0x80, request: 6, value: 0x0200, length: 9))
    session.control(SetupPacket(requestType: 0, request: 9, value: 1))
    session.control(SetupPacket(requestType: 1, request: 11, value: 0))
    session.control(SetupPacket(requestType: 0x40, request: 1, length: 100))
    session.control(SetupPacket(requestType: 0xC0, request: 1, length: 100))
    session.control(SetupPacket(requestType: 0, request: 9, value: 2))
    session.submit(5, isIn: false, length: 64)
    return session
  }()

  private static let disk: SessionRecording = {
    var session = SessionRecording(seqnum: 7)
    for length in [31, 512, 1024] {
      session.submit(1, isIn: false, length: length, flags: .zeroPacket)
      session.submit(1, isIn: true, length: length, flags: .shortNotOK)
      session.submit(4, isIn: true, length: 13)
    }
    session.control(SetupPacket(requestType: 2, request: 1, index: 0x81))
    session.submit(1, isIn: true, length: 8)
    session.control(SetupPacket(requestType: 2, request: 1, index: 0x81))
    session.submit(4, isIn: true, length: 4096)
    return session
  }()

  private static let sound: SessionRecording = {
    var session = SessionRecording(seqnum: 0xFFFF_FFF0)
    session.control(alternate)
    for _ in 0..<3 {
      session.isochronous(isIn: false, packets: 8, length: 40, gap: 8)
      session.isochronous(isIn: true, packets: 8, length: 48, gap: 0)
    }
    session.unlink(session.seqnum &- 2)
    session.unlink(session.seqnum &- 2)
    session.control(SetupPacket(requestType: 1, request: 11, value: 0))
    session.submit(4, isIn: true, length: 5)
    return session
  }()

  private static let mouse: SessionRecording = {
    var session = SessionRecording(seqnum: 50)
    let waiting = (0..<4).map { _ in session.submit(2, isIn: true, length: 8) }
    session.unlink(waiting[1])
    session.unlink(waiting[1])
    session.submit(2, isIn: true, length: 8)
    session.unlink(waiting[0])
    session.unlink(12)
    session.control(SetupPacket(requestType: 0x80, request: 6, value: 0x0100, length: 18))
    session.unlink(waiting[3])
    return session
  }()

  private static let windows: SessionRecording = {
    var session = SessionRecording(seqnum: 3, step: 2)
    session.control(SetupPacket(requestType: 0x23, request: 3, value: 4, index: 1))
    session.control(SetupPacket(requestType: 0, request: 3, value: 48))
    session.submit(1, isIn: false, length: 40)
    session.submit(2, isIn: true, length: 8, flags: .shortNotOK)
    session.submit(1, isIn: true, length: 64, flags: .shortNotOK)
    session.control(SetupPacket(requestType: 0x23, request: 3, value: 4, index: 1))
    session.submit(9, isIn: false, length: 33)
    session.submit(4, isIn: true, length: 1)
    return session
  }()

  /// Isochronous URBs that are cut in pieces.
  private static let long: SessionRecording = {
    var session = SessionRecording(seqnum: 1)
    session.control(alternate)
    session.isochronous(isIn: true, packets: 150, length: 4, gap: 0)
    session.isochronous(isIn: false, packets: 130, length: 3, gap: 1)
    session.unlink(2)
    session.submit(4, isIn: true, length: 2)
    return session
  }()
}
