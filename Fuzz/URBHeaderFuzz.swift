// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import USBIPWire
import USBModel

/// The headers of the URB phase and the isochronous descriptors behind them.
///
/// What is read and written again must be the same; what is called sound must be so by a check
/// that takes no short cut.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzHeaders(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  guard count >= URBCommand.headerLength else { return 0 }
  // SAFETY: libFuzzer passes `count` readable bytes that live as long as this call.
  let input = UnsafeRawBufferPointer(start: start, count: count)
  let header = UnsafeRawBufferPointer(rebasing: input[..<URBCommand.headerLength])
  let rest = UnsafeRawBufferPointer(rebasing: input[URBCommand.headerLength...])
  checkCommand(header, rest)
  checkReply(header)
  return 0
}

/// The device of the peer; the bytes of the seeds name it.
private let devid: UInt32 = 0x0001_0002

/// One endpoint of each kind, as in the seeds.
private let endpoints: EndpointTable = {
  let kinds: [(UInt8, UInt8)] = [(0x81, 2), (0x02, 2), (0x83, 1), (0x03, 1), (0x84, 3), (0x05, 0)]
  let body: [UInt8] =
    [9, 4, 0, 0, 6, 0xFF, 0, 0, 0] + kinds.flatMap { [7, 5, $0.0, $0.1, 0, 0x14, 1] }
  let device: [UInt8] = [18, 1, 0, 2, 0, 0, 0, 64, 1, 2, 3, 4, 5, 6, 0, 0, 0, 1]
  let configuration: [UInt8] = [9, 2, UInt8(body.count + 9), 0, 1, 1, 0, 0x80, 50]
  guard let descriptors = try? DeviceDescriptors(parsing: device + configuration + body) else {
    preconditionFailure("the descriptors are sound")
  }
  return EndpointTable(descriptors: descriptors, configuration: 1)
}()

private func checkCommand(_ header: UnsafeRawBufferPointer, _ rest: UnsafeRawBufferPointer) {
  guard let command = try? URBCommand.decode(header, devid: devid) else { return }
  var again = [UInt8](repeating: 0xEE, count: URBCommand.headerLength)
  again.withUnsafeMutableBytes { buffer in
    switch command {
    case .submit(let submit): submit.encode(into: buffer)
    case .unlink(let unlink): unlink.encode(into: buffer)
    }
  }
  let same = again.withUnsafeBytes { try? URBCommand.decode($0, devid: devid) }
  precondition(same == command, "another command")
  guard case .submit(let submit) = command else { return }
  precondition(submit.endpoint <= 15, "endpoint out of range")
  precondition((0...WireLimits.maximumTransferLength).contains(submit.length), "length")
  precondition(submit.flags.rawValue & ~0x00C3 == 0, "a flag that only a kernel may set")
  for type in TransferType.allCases {
    let masked = submit.flags.masked(for: type, isIn: submit.isIn)
    precondition(masked.isSubset(of: submit.flags), "a flag out of nothing")
    precondition(submit.isIn || !masked.contains(.shortNotOK), "a short OUT")
    precondition(type == .isochronous || !masked.contains(.isochronousASAP), "a frame for bulk")
  }
  check(submit.setup, UnsafeRawBufferPointer(rebasing: header[40..<48]))
  guard let disposition = try? submit.disposition(in: endpoints) else { return }
  if disposition == .transfer(.control) {
    precondition(Int(submit.setup.length) <= submit.length, "more than the buffer")
  }
  guard disposition == .transfer(.isochronous) else { return }
  let packets = min(Int(submit.packets), rest.count / IsochronousPacket.size)
  checkPackets(rest, count: packets, length: submit.length)
}

private func check(_ setup: SetupPacket, _ bytes: UnsafeRawBufferPointer) {
  var again = [UInt8](repeating: 0xEE, count: SetupPacket.size)
  again.withUnsafeMutableBytes { setup.encode(into: $0) }
  precondition(again.elementsEqual(bytes), "another setup packet")
  // By the bytes, without the names.
  let expected: SpecialRequest? =
    switch (bytes[0], bytes[1], bytes[2], bytes[3]) {
    case (0, 5, _, _): .setAddress
    case (0, 9, let value, 0): .setConfiguration(value: value)
    case (1, 11, let value, 0) where bytes[5] == 0:
      .setInterface(interface: bytes[4], alternate: value)
    case (0, 9, _, _), (1, 11, _, _): .malformed
    case (2, 1, 0, 0) where bytes[5] != 0 || bytes[4] & 0x70 != 0: .malformed
    case (2, 1, 0, 0): bytes[4] & 15 == 0 ? nil : .clearHalt(endpointAddress: bytes[4])
    case (0x23, 3, 4, 0): .portReset
    case (0, 3, 2, 0): .testMode
    case (0, 1, 48...50, 0), (0, 3, 48...50, 0): .linkPower
    default: nil
    }
  precondition(setup.specialRequest == expected, "another request")
}

/// The rule of the documentation, packet against packet.
private func checkPackets(_ array: UnsafeRawBufferPointer, count: Int, length: Int) {
  let payload = endpoints.intervalPayload(endpoint: 3, isIn: true) ?? 0
  let packets = (0..<count).map { IsochronousPacket.decode(array, index: $0) }
  for (index, packet) in packets.enumerated() {
    var again = [UInt8](repeating: 0xEE, count: IsochronousPacket.size)
    again.withUnsafeMutableBytes { packet.encode(into: $0, index: 0) }
    let place = index * IsochronousPacket.size
    precondition(again.elementsEqual(array[place..<place + again.count]), "another packet")
  }
  let ranges = packets.map { Int($0.offset)..<Int($0.offset) + Int($0.length) }
  let fits = ranges.allSatisfy { $0.upperBound <= length && $0.count <= payload }
  let taken = ranges.filter { !$0.isEmpty }
  let isInOrder = zip(taken, taken.dropFirst()).allSatisfy { $0.upperBound <= $1.lowerBound }
  let isSound = IsochronousPacket.isSound(
    array, packets: count, length: length, payload: payload)
  precondition(isSound == (fits && isInOrder), "sound or not")
  precondition(!isSound || taken.reduce(0) { $0 + $1.count } <= length, "more than the buffer")
}

private func checkReply(_ header: UnsafeRawBufferPointer) {
  guard let reply = try? URBReply.decode(header) else { return }
  var again = [UInt8](repeating: 0xEE, count: URBCommand.headerLength)
  again.withUnsafeMutableBytes { buffer in
    switch reply {
    case .submit(let submit): submit.encode(into: buffer)
    case .unlink(let unlink): unlink.encode(into: buffer)
    }
  }
  precondition(again.withUnsafeBytes { try? URBReply.decode($0) } == reply, "another reply")
}
