// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import TestSupport
import USBIPWire
import USBModel

/// Knows which answers a stream of commands may get, and takes no other.
///
/// As vhci_hcd it detaches on an answer it does not wait for; stricter than that, every command that
/// was whole has to be answered once.
struct StrictImporter {
  private struct Waiting {
    var isIn: Bool
    var length: Int
    var packets: Int
    /// Commands before this one.
    var position: Int
    /// False where its payload is cut off: only an unlink that came before it can still be answered.
    var isWhole: Bool
  }

  private struct WaitingUnlink {
    var target: UInt32
    var position: Int
    /// True where a client counted it after its target, which may then still be on its way.
    var mayWait: Bool
  }

  /// The first answer that no importer could bear.
  private(set) var violation: String?
  private var submits: [UInt32: [Waiting]] = [:]
  private var unlinks: [UInt32: [WaitingUnlink]] = [:]
  private var endpoints = EndpointTable(
    descriptors: VirtualDevice.layout, configuration: StrictImporter.configuration)

  static let configuration: UInt8 = 1

  /// Reads what is sent, as far as it can be framed; `changes` tells whether the device takes
  /// configurations and altsettings.
  init(sending bytes: [UInt8], deviceChanges changes: Bool) {
    bytes.withUnsafeBytes { send($0, changes) }
  }

  private mutating func send(_ bytes: UnsafeRawBufferPointer, _ changes: Bool) {
    let devid = VirtualDevice.description().devid
    var offset = 0
    var position = 0
    while bytes.count - offset >= URBCommand.headerLength {
      let header = UnsafeRawBufferPointer(
        rebasing: bytes[offset..<offset + URBCommand.headerLength])
      guard let command = try? URBCommand.decode(header, devid: devid) else { return }
      offset += URBCommand.headerLength
      position += 1
      switch command {
      case .unlink(let unlink):
        unlinks[unlink.seqnum, default: []].append(
          WaitingUnlink(
            target: unlink.target, position: position,
            mayWait: Int32(bitPattern: unlink.seqnum &- unlink.target) > 0))
      case .submit(let submit):
        guard let disposition = try? submit.disposition(in: endpoints) else { return }
        let packets = disposition == .transfer(.isochronous) ? Int(submit.packets) : 0
        offset += submit.payloadLength + packets * IsochronousPacket.size
        submits[submit.seqnum, default: []].append(
          Waiting(
            isIn: submit.isIn, length: submit.length, packets: packets, position: position,
            isWhole: offset <= bytes.count))
        guard offset <= bytes.count else { return }
        if changes, disposition == .transfer(.control), submit.endpoint == 0 {
          follow(submit.setup.specialRequest)
        }
      }
    }
  }

  private mutating func follow(_ request: SpecialRequest?) {
    switch request {
    case .setConfiguration(let value):
      guard value == 0 || VirtualDevice.layout.configuration(value) != nil else { return }
      endpoints = EndpointTable(descriptors: VirtualDevice.layout, configuration: value)
    case .setInterface(let interface, let alternate):
      _ = endpoints.select(interface: interface, alternate: alternate)
    default:
      break
    }
  }

  /// Takes answers, of which the last may be cut off; false where it was.
  mutating func receive(_ bytes: UnsafeRawBufferPointer) -> Bool {
    var offset = 0
    while offset < bytes.count, violation == nil {
      let rest = UnsafeRawBufferPointer(rebasing: bytes[offset...])
      guard rest.count >= URBCommand.headerLength else { return false }
      guard let reply = try? URBReply.decode(rest) else {
        violation = "an answer that is none"
        return false
      }
      switch reply {
      case .unlink(let reply):
        take(reply)
        offset += URBCommand.headerLength
      case .submit(let reply):
        guard let length = take(reply, rest) else { return false }
        offset += length
      }
    }
    return true
  }

  /// The bytes of the answer; nil where they are not all there.
  private mutating func take(_ reply: SubmitReply, _ bytes: UnsafeRawBufferPointer) -> Int? {
    guard let waiting = popSubmit(reply.seqnum), waiting.isWhole else {
      violation = "RET_SUBMIT \(reply.seqnum), which nobody waits for"
      return nil
    }
    guard (0...waiting.length).contains(Int(reply.actualLength)), reply.status <= 0 else {
      violation = "RET_SUBMIT \(reply.seqnum) with \(reply.actualLength) of \(waiting.length)"
      return nil
    }
    let data = URBCommand.headerLength + (waiting.isIn ? Int(reply.actualLength) : 0)
    let length = data + waiting.packets * IsochronousPacket.size
    guard length <= bytes.count else { return nil }
    guard waiting.packets > 0 else { return length }
    let array = UnsafeRawBufferPointer(rebasing: bytes[data..<length])
    var (moved, errors) = (0, 0)
    for index in 0..<waiting.packets {
      let packet = IsochronousPacket.decode(array, index: index)
      moved += Int(packet.actualLength)
      if packet.status != 0 { errors += 1 }
    }
    if moved != Int(reply.actualLength) || errors != Int(reply.errorCount)
      || waiting.packets != Int(reply.packets)
    {
      violation = "RET_SUBMIT \(reply.seqnum) and its packets disagree"
    }
    return length
  }

  /// Of unlinks under one number any may be the one that is answered.
  private mutating func take(_ reply: UnlinkReply) {
    guard var queue = unlinks[reply.seqnum], !queue.isEmpty else {
      violation = "RET_UNLINK \(reply.seqnum), which nobody waits for"
      return
    }
    let wins = reply.status == URBStatus.connectionReset
    guard wins || reply.status == URBStatus.success else {
      violation = "RET_UNLINK \(reply.seqnum) with \(reply.status)"
      return
    }
    let possible = queue.indices.filter { index in
      let pending = submits[queue[index].target]?.first
      return wins ? pending != nil : pending.map { $0.position > queue[index].position } ?? true
    }
    // One that may wait for ever is the last to be taken for answered.
    guard let index = possible.first(where: { !queue[$0].mayWait }) ?? possible.first else {
      violation =
        wins
        ? "RET_UNLINK \(reply.seqnum) won over nothing"
        : "RET_UNLINK \(reply.seqnum) with 0 before its RET_SUBMIT: data is lost"
      return
    }
    if wins { _ = popSubmit(queue[index].target) }
    queue.remove(at: index)
    unlinks[reply.seqnum] = queue
  }

  private mutating func popSubmit(_ seqnum: UInt32) -> Waiting? {
    guard var queue = submits[seqnum], !queue.isEmpty else { return nil }
    let first = queue.removeFirst()
    submits[seqnum] = queue
    return first
  }

  /// What was whole and got no answer, but for unlinks that may wait for ever.
  var unanswered: [String] {
    let open = submits.filter { $0.value.contains(where: \.isWhole) }.keys
    let openUnlinks = unlinks.filter { $0.value.contains { !$0.mayWait } }.keys
    return open.sorted().map { "CMD_SUBMIT \($0)" }
      + openUnlinks.sorted().map { "CMD_UNLINK \($0)" }
  }
}
