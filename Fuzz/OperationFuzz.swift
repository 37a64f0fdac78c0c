// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import USBIPWire
import USBModel

/// Both parsers of the operation phase: the first byte chooses which, the rest is what a peer sent.
///
/// Whatever the pieces, the outcome must be the same, and reading as `missingBytes` says must take
/// not one byte too many.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOperations(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  // SAFETY: libFuzzer passes `count` readable bytes that live as long as this call.
  let input = [UInt8](UnsafeBufferPointer(start: start, count: count))
  guard let choice = input.first else { return 0 }
  let bytes = Array(input.dropFirst())
  switch choice % 3 {
  case 0: checkRequest(bytes)
  case 1: checkReply(bytes, expecting: .deviceList)
  default: checkReply(bytes, expecting: .importDevice)
  }
  return 0
}

/// What became of a message, and how much of it was taken.
private struct Outcome<Value: Equatable>: Equatable {
  var value: Value?
  var error: WireError?
  var rest: [UInt8] = []
}

private func checkRequest(_ bytes: [UInt8]) {
  let whole = request(bytes, piece: { _ in bytes.count })
  precondition(request(bytes, piece: { _ in 1 }) == whole, "pieces matter")
  precondition(request(bytes, piece: { $0 }) == whole, "missingBytes misleads")
  guard whole.error == nil else { return }
  switch whole.value {
  case .deviceList:
    precondition(bytes.starts(with: OperationRequestEncoder.deviceList()), "no such request")
  case .importDevice(let busID):
    let expected = OperationRequestEncoder.importDevice(busID)
    let text = 8 + busID.description.utf8.count + 1
    precondition(bytes.prefix(text) == expected.prefix(text), "no such request")
    precondition(bytes.count == expected.count + whole.rest.count, "bytes went astray")
  case .importUnnameable:
    precondition(bytes.count == 40 + whole.rest.count, "bytes went astray")
  case nil:
    precondition(bytes.count < 40, "a whole request, but no outcome")
  }
}

private func request(_ bytes: [UInt8], piece: (Int) -> Int) -> Outcome<OperationRequest> {
  var parser = OperationRequestParser()
  var outcome = Outcome<OperationRequest>()
  var rest = bytes[...]
  do throws(WireError) {
    while outcome.value == nil, !rest.isEmpty {
      let count = min(rest.count, max(1, piece(parser.missingBytes)))
      try parser.append(rest.prefix(count))
      rest = rest.dropFirst(count)
      outcome.value = try parser.next()
    }
    outcome.rest = parser.remainder + rest
  } catch {
    outcome.error = error
  }
  return outcome
}

private func checkReply(_ bytes: [UInt8], expecting code: OperationCode) {
  let whole = reply(bytes, expecting: code, piece: { _ in bytes.count })
  precondition(reply(bytes, expecting: code, piece: { _ in 1 }) == whole, "pieces matter")
  precondition(reply(bytes, expecting: code, piece: { $0 }) == whole, "missingBytes misleads")
  // What was understood must mean the same when we say it.
  switch whole.value {
  case .deviceList(let devices):
    let again = reply(
      OperationReply.deviceList(devices), expecting: code, piece: { _ in 4096 * 4096 })
    precondition(again.value == .deviceList(devices.map(written)), "another list")
  case .imported(let device):
    let again = reply(OperationReply.importReply(device), expecting: code, piece: { _ in 512 })
    precondition(again.value == .imported(written(device)), "another device")
  case .refused, nil:
    break
  }
}

/// What is lost on the wire: the speed above 5, and a path that repair of its UTF-8 made too long.
private func written(_ device: Device) -> Device {
  var device = device
  device.speed = device.speed.onWire
  device.sysfsPath = String(decoding: device.sysfsPath.utf8.prefix(255), as: UTF8.self)
  return device
}

private func reply(_ bytes: [UInt8], expecting code: OperationCode, piece: (Int) -> Int)
  -> Outcome<OperationReplyParser.Parsed>
{
  var parser = OperationReplyParser(expecting: code)
  var outcome = Outcome<OperationReplyParser.Parsed>()
  var rest = bytes[...]
  do throws(WireError) {
    while outcome.value == nil, !rest.isEmpty {
      let count = min(rest.count, max(1, piece(parser.missingBytes)))
      parser.append(rest.prefix(count))
      rest = rest.dropFirst(count)
      outcome.value = try parser.next()
    }
    outcome.rest = parser.remainder + rest
  } catch {
    outcome.error = error
  }
  return outcome
}
