// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import USBIPWire
import USBModel

/// A URB phase as pure state: headers, payloads, packets, the endpoint table that requests change,
/// and the ledger, fed by whatever bytes a peer may send.
///
/// Every command that was whole must be answered once, and the ledger must be empty at the end.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzStream(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  // SAFETY: libFuzzer passes `count` readable bytes that live as long as this call.
  let input = UnsafeRawBufferPointer(start: start, count: count)
  var exporter = StreamExporter()
  do throws(WireError) {
    try exporter.read(input)
  } catch {
    // The connection ends; what is under way is ended like at any other end.
  }
  exporter.finish()
  return 0
}

/// The device of the peer; the bytes of the seeds name it.
private let devid: UInt32 = 0x0001_0002

/// Two configurations: a high-speed one with altsettings, and a SuperSpeed one with companions.
private let descriptors: DeviceDescriptors = {
  let first: [[UInt8]] = [
    [9, 4, 0, 0, 3, 0xFF, 0, 0, 0], [7, 5, 0x01, 2, 0, 2, 0], [7, 5, 0x81, 2, 0, 2, 0],
    [7, 5, 0x82, 3, 64, 0, 4], [9, 4, 0, 1, 2, 0xFF, 0, 0, 0], [7, 5, 0x83, 1, 0xC0, 0x08, 1],
    [7, 5, 0x03, 1, 0xC0, 0, 1], [9, 4, 1, 0, 2, 0xFF, 0, 0, 0], [7, 5, 0x84, 2, 0, 2, 0],
    [7, 5, 0x05, 0, 64, 0, 0],
  ]
  let second: [[UInt8]] = [
    [9, 4, 0, 0, 2, 0xFF, 0, 0, 0], [7, 5, 0x83, 1, 0, 4, 1], [6, 0x30, 3, 0x82, 0, 0],
    [8, 0x31, 0, 0, 0, 0x30, 0, 0], [7, 5, 0x02, 2, 0, 4, 0], [6, 0x30, 15, 0, 0, 0],
  ]
  func configuration(_ value: UInt8, _ parts: [[UInt8]], interfaces: UInt8) -> [UInt8] {
    let content = parts.flatMap(\.self)
    return [9, 2, UInt8(content.count + 9), 0, interfaces, value, 0, 0x80, 50] + content
  }
  let device: [UInt8] = [18, 1, 0, 3, 0, 0, 0, 9, 1, 2, 3, 4, 5, 6, 0, 0, 0, 2]
  let all =
    device + configuration(1, first, interfaces: 2) + configuration(2, second, interfaces: 1)
  guard let descriptors = try? DeviceDescriptors(parsing: all) else {
    preconditionFailure("the descriptors are sound")
  }
  return descriptors
}()

private struct StreamExporter: ~Copyable {
  private static let capacity = 6
  private var ledger = URBLedger(
    capacity: capacity, maximumBytes: 1 << 20, maximumRepeatedUnlinks: 3)
  private var endpoints = EndpointTable(descriptors: descriptors, configuration: 1)
  private var slots = [UInt32?](repeating: nil, count: capacity)
  private var submits = 0
  private var unlinks = 0
  private var answered = 0
  private var answeredUnlinks = 0

  mutating func read(_ input: UnsafeRawBufferPointer) throws(WireError) {
    var rest = input[...]
    while rest.count >= URBCommand.headerLength {
      let header = UnsafeRawBufferPointer(rebasing: rest.prefix(URBCommand.headerLength))
      let command = try URBCommand.decode(header, devid: devid)
      rest = rest.dropFirst(URBCommand.headerLength)
      makeRoom()
      switch command {
      case .submit(let submit):
        let disposition = try submit.disposition(in: endpoints)
        let packets = disposition == .transfer(.isochronous) ? Int(submit.packets) : 0
        precondition((0...WireLimits.maximumPackets).contains(packets), "packets")
        let length = submit.payloadLength + packets * IsochronousPacket.size
        guard length <= rest.count else { return }
        let array = UnsafeRawBufferPointer(
          rebasing: rest.dropFirst(submit.payloadLength).prefix(packets * IsochronousPacket.size))
        ledger.arrive(submit.seqnum)
        if !answerEarlyUnlinks(of: submit.seqnum) { try take(submit, disposition, array) }
        rest = rest.dropFirst(length)
      case .unlink(let unlink):
        try take(unlink)
      }
    }
  }

  /// A session stops reading here until something completes.
  private mutating func makeRoom() {
    while ledger.count == StreamExporter.capacity || !ledger.admitsUnlink
      || !ledger.admits(length: 1 << 20)
    {
      guard let slot = ledger.firstOutstanding(from: 0) else { break }
      complete(slot, 0)
    }
  }

  private mutating func take(
    _ submit: Submit, _ disposition: SubmitDisposition, _ packets: UnsafeRawBufferPointer
  ) throws(WireError) {
    guard case .transfer(let type) = disposition, submit.length <= 1 << 20 else { return }
    guard let slot = slots.firstIndex(where: { $0 == nil }) else {
      preconditionFailure("no slot, but room in the ledger")
    }
    let before = ledger.count
    try ledger.submit(submit, slot: slot)
    precondition(ledger.count == before + 1, "not entered")
    slots[slot] = submit.seqnum
    submits += 1
    switch type {
    case .control where submit.endpoint == 0:
      follow(submit.setup.specialRequest)
      complete(slot, 0)
    case .isochronous:
      let payload = endpoints.intervalPayload(endpoint: submit.endpoint, isIn: submit.isIn) ?? 0
      let isSound = IsochronousPacket.isSound(
        packets, packets: Int(submit.packets), length: submit.length, payload: payload)
      if isSound { ledger.markSubmitted(slot: slot) } else { complete(slot, URBStatus.invalid) }
    default:
      // The kernel refuses some, ends some at once, and keeps the others.
      switch submit.seqnum & 3 {
      case 0: complete(slot, URBStatus.outOfMemory)
      case 1:
        ledger.markSubmitted(slot: slot)
        complete(slot, 0)
      default: ledger.markSubmitted(slot: slot)
      }
    }
  }

  /// True where an unlink that came before its submit wins.
  private mutating func answerEarlyUnlinks(of seqnum: UInt32) -> Bool {
    var wins = 0
    while let reply = ledger.takeEarlyUnlink(arrived: seqnum) {
      answeredUnlinks += 1
      if reply.status == URBStatus.connectionReset { wins += 1 }
    }
    precondition(wins <= 1, "two unlinks of one submit won")
    return wins > 0
  }

  private mutating func take(_ unlink: Unlink) throws(WireError) {
    unlinks += 1
    switch try ledger.unlink(unlink) {
    case .discard(let slot):
      precondition(slots[slot] == unlink.target, "another transfer")
      if unlink.seqnum & 1 == 0 { complete(slot, URBStatus.noEntry) }
    case .dropUnsubmitted(let slot, let reply):
      precondition(slots[slot] == unlink.target, "another transfer")
      precondition(reply.seqnum == unlink.seqnum && reply.status == -104, "another answer")
      slots[slot] = nil
      answered += 1
      answeredUnlinks += 1
    case .answerNow(let reply):
      precondition(reply.seqnum == unlink.seqnum && reply.status == 0, "another answer")
      answeredUnlinks += 1
    case .wait:
      break
    }
  }

  private mutating func follow(_ request: SpecialRequest?) {
    switch request {
    case .setConfiguration(let value):
      killAll()
      endpoints = EndpointTable(descriptors: descriptors, configuration: value)
    case .setInterface(let interface, let alternate):
      let before = endpoints.alternate(of: interface)
      let isSelected = endpoints.select(interface: interface, alternate: alternate)
      let after = endpoints.alternate(of: interface)
      precondition(after == (isSelected ? alternate : before), "another altsetting")
    case .clearHalt(let address):
      precondition(address & 0x0F != 0 && address & 0x70 == 0, "no such address")
    default:
      break
    }
  }

  private mutating func killAll() {
    for slot in slots.indices where ledger.isSubmitted(slot: slot) {
      complete(slot, URBStatus.noEntry)
    }
  }

  private mutating func complete(_ slot: Int, _ status: Int32) {
    let completion = ledger.complete(slot: slot, status: status, actualLength: 0)
    precondition(completion.submit?.seqnum ?? slots[slot] == slots[slot], "another transfer")
    precondition(completion.submit != nil || completion.unlink?.status == -104, "no answer")
    slots[slot] = nil
    answered += 1
    if completion.unlink != nil { answeredUnlinks += 1 }
    while completion.hasRepeatedUnlinks, let reply = ledger.takeRepeatedUnlink() {
      precondition(reply.status == 0, "a repeated unlink won")
      answeredUnlinks += 1
    }
  }

  /// The end of a session.
  mutating func finish() {
    while let slot = ledger.firstOutstanding(from: 0) { complete(slot, URBStatus.noEntry) }
    precondition(ledger.count == 0 && ledger.outstandingBytes == 0, "something is left")
    precondition(slots.allSatisfy { $0 == nil }, "a slot is taken")
    precondition(submits == answered, "submits without answer")
    precondition(answeredUnlinks <= unlinks, "an answer too many")
  }
}
