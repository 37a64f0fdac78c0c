// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import Glibc
import LinuxHost
import SessionControl
import TestSupport
import USBIPWire
import USBModel

@testable import ExportSession

/// Plays mutated sessions on the caller's thread and looks at what each leaves behind.
struct MutationPlayer: ~Copyable {
  /// The agent, which stays and asks nothing.
  private let agent: AgentLink
  private let agentEnd: OwnedDescriptor
  /// Never signalled: the SIGTERM that does not come.
  private let termination: EventCounter
  private let received: UnsafeMutableRawBufferPointer
  private let limits: URBPhaseLimits
  /// How sessions ended.
  private(set) var tally: [String: Int] = [:]

  init() throws {
    let signal = try EventCounter()
    let link = try MutationPlayer.pair(SOCK_SEQPACKET)
    termination = signal
    agentEnd = link.peer
    agent = AgentLink(ControlSocket(adopting: link.session))
    received = .allocate(byteCount: 4 << 20, alignment: 16)
    var limits = URBPhaseLimits()
    limits.slots = 32
    limits.writeStall = .milliseconds(2)
    limits.memoryPatience = .milliseconds(2)
    limits.memoryRetry = 1
    self.limits = limits
  }

  deinit { received.deallocate() }

  /// The URB phase of a mutation; returns what is wrong, or nil.
  mutating func playURBPhase(_ number: UInt64) throws -> String? {
    var mutator = SessionMutator(number: number)
    let bytes = mutator.mutated(SessionRecording.all)
    var dice = mutator.generator
    let device = try VirtualDevice()
    let changes = prepare(device, &dice)
    let pair = try MutationPlayer.pair(SOCK_STREAM)
    // Some of it came along with the request, the rest is there when the session begins to read.
    let pipelined = Int.random(in: 0...bytes.count, using: &dice)
    try MutationPlayer.send(Array(bytes[pipelined...]), to: pair.peer)

    let socket = StreamSocket(pair.session)
    let number = socket.rawValue
    let events = try URBPhase.watch(
      socket, device, control: agent.rawValue, termination: termination.rawValue)
    var phase = URBPhase(
      connection: socket, pipelined: Array(bytes[..<pipelined]), device: device, events: events,
      configuration: StrictImporter.configuration, devid: VirtualDevice.description().devid,
      subject: SessionSubject(peer: "test", device: VirtualDevice.description()), limits: limits)
    phase.takePipelined()
    while phase.end == nil {
      switch phase.hold {
      case .barrier:
        // Nothing else may end the session meanwhile, or what follows would not be played.
        try BackgroundThread.wait(for: phase.side?.rawValue ?? -1)
      case .none where MutationPlayer.unread(number) > 0, .memory:
        break
      case .none, .room:
        // All is read that will be.
        shutdown(pair.peer.rawValue, Int32(SHUT_WR))
      }
      phase.serve(agent)
    }
    let end = phase.finish()
    note(end)

    guard device.unreapedCount == 0, phase.inFlight == 0 else {
      return "\(device.unreapedCount) transfers are left with the device"
    }
    var held = 0
    if case .payload = phase.reading { held += 1 }
    switch phase.hold {
    case .memory, .barrier: held += 1
    case .none, .room: break
    }
    guard phase.slots.slotsInUse <= held + phase.replies.count else {
      return
        "\(phase.slots.slotsInUse) slots are taken, \(held) held, \(phase.replies.count) queued"
    }
    var importer = StrictImporter(sending: bytes, deviceChanges: changes)
    let isWhole = importer.receive(try receive(from: pair.peer))
    if let violation = importer.violation { return violation }
    switch end {
    case .peerClosed, .truncated, .violation:
      if case .violation(.duplicateSequenceNumber) = end { return nil }
      // More than the connection takes is not waited for at the end.
      guard phase.replies.count == 0 else { return nil }
      guard isWhole else { return "the last answer is cut off" }
      // Commands on hold are not read when the peer has gone.
      guard phase.hold == .none, !importer.unanswered.isEmpty else { return nil }
      return "no answer to \(importer.unanswered)"
    case .writeStalled, .deviceGone: return nil
    default: return "ended with \(end)"
    }
  }

  /// A mutation of the whole connection, from its first byte; returns what is wrong, or nil.
  mutating func playConnection(_ number: UInt64) throws -> String? {
    var mutator = SessionMutator(number: number)
    let bytes = mutator.mutated(SessionRecording.connections)
    let device = try VirtualDevice()
    let pair = try MutationPlayer.pair(SOCK_STREAM)
    try MutationPlayer.send(bytes, to: pair.peer)
    shutdown(pair.peer.rawValue, Int32(SHUT_WR))
    // An agent that hands over the device, whatever it is asked.
    let link = try MutationPlayer.pair(SOCK_SEQPACKET)
    let node = try EventCounter()
    let agent = ControlSocket(adopting: link.peer)
    let answer = Reply(SessionCalls.Acquired(device: VirtualDevice.description()))
    try agent.send(try Message.encode(answer), descriptors: [node.rawValue])
    let end = ExportSession.run(
      SessionCalls.Assignment(role: .export, peer: "test", deadline: 1000),
      connection: pair.session,
      agent: AgentLink(ControlSocket(adopting: link.session)),
      termination: termination.rawValue, limits: limits
    ) { (_, _) throws(SessionEnd) in device }
    note(end)
    guard device.unreapedCount == 0 else {
      return "\(device.unreapedCount) transfers are left with the device"
    }
    _ = try receive(from: pair.peer)
    switch end {
    case .agentGone, .terminated, .timedOut, .unreadableDevice, .hostFailed:
      return "ended with \(end)"
    default: return nil
    }
  }

  private mutating func note(_ end: SessionEnd) {
    let name = String(describing: end).prefix { $0 != "(" }
    tally[String(name), default: 0] += 1
  }

  /// Lets the device be as devices are: busy, stalled, gone.
  ///
  /// False where it takes no changes.
  private func prepare(_ device: VirtualDevice, _ dice: inout SeededGenerator) -> Bool {
    let endpoints: [UInt8] = [0, 0x01, 0x81, 0x82, 0x83, 0x03, 0x84]
    switch Int.random(in: 0..<12, using: &dice) {
    case 0, 1: for _ in 0..<3 { device.hold(dice.one(of: endpoints)) }
    case 2: device.stall(dice.one(of: endpoints.dropFirst()))
    case 3:
      device.refuse(
        (0..<6).map { _ in dice.one(of: [0, 0, -28, -12, -22, -2, -113, -90, -32]) as Int32 })
    case 4:
      for address in [0x81, 0x82, 0x83, 0x84] as [UInt8] {
        device.completeOnDiscard(address, with: [1, 2, 3])
      }
      device.hold(0x84)
      device.hold(0x83)
    case 5: device.failPackets([0, 3, 7])
    case 6: for _ in 0..<3 { device.report([9]) }
    case 7:
      device.refuseBarriers(dice.one(of: [-22, -5, -16, -19]))
      return false
    case 8 where dice.once(in: 4): device.unplug()
    default: break
    }
    return true
  }

  /// What the session sent; valid until the next call.
  private func receive(from peer: borrowing OwnedDescriptor) throws -> UnsafeRawBufferPointer {
    var count = 0
    while count < received.count, let base = received.baseAddress {
      let result = recv(
        peer.rawValue, base + count, received.count - count, Int32(MSG_DONTWAIT))
      guard result > 0 else { break }
      count += result
    }
    return UnsafeRawBufferPointer(rebasing: received[..<count])
  }

  /// Bytes that wait to be received.
  private static func unread(_ descriptor: Int32) -> Int32 {
    var count: Int32 = 0
    _ = withUnsafeMutablePointer(to: &count) { ioctl(descriptor, UInt(FIONREAD), $0) }
    return count
  }

  private static func send(_ bytes: [UInt8], to peer: borrowing OwnedDescriptor) throws {
    guard !bytes.isEmpty else { return }
    let sent = bytes.withUnsafeBytes {
      Glibc.send(peer.rawValue, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
    }
    guard sent == bytes.count else { throw LoopbackPeer.Failure.broken(errno) }
  }

  /// Two connected ends.
  private struct Pair: ~Copyable {
    let peer: OwnedDescriptor
    let session: OwnedDescriptor
  }

  private static func pair(_ type: __socket_type) throws -> Pair {
    var numbers: [Int32] = [-1, -1]
    guard socketpair(AF_UNIX, Int32(type.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0, &numbers) == 0
    else { throw LoopbackPeer.Failure.broken(errno) }
    return Pair(
      peer: OwnedDescriptor(adopting: numbers[0]), session: OwnedDescriptor(adopting: numbers[1]))
  }
}
