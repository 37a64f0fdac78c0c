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
  _ = submit.setup.specialRequest
  guard let disposition = try? submit.disposition(in: endpoints) else { return }
  if disposition == .transfer(.control) {
    precondition(Int(submit.setup.length) <= submit.length, "more than the buffer")
  }
  guard disposition == .transfer(.isochronous) else { return }
  let packets = min(Int(submit.packets), rest.count / IsochronousPacket.size)
  checkPackets(rest, count: packets, length: submit.length)
}

private func checkPackets(_ array: UnsafeRawBufferPointer, count: Int, length: Int) {
  let payload = endpoints.intervalPayload(endpoint: 3, isIn: true) ?? 0
  guard
    IsochronousPacket.isSound(array, packets: count, length: length, payload: payload)
  else { return }
  var taken: [Range<Int>] = []
  var total = 0
  for index in 0..<count {
    let packet = IsochronousPacket.decode(array, index: index)
    let range = Int(packet.offset)..<Int(packet.offset) + Int(packet.length)
    precondition(range.upperBound <= length && range.count <= payload, "out of the buffer")
    precondition(!taken.contains { $0.overlaps(range) }, "overlap")
    taken.append(range)
    total += range.count
  }
  precondition(total <= length, "more than the buffer")
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
