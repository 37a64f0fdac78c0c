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

/// How a message is cut up.
private enum Pieces {
  case whole
  case single
  /// As the parser says, so that nothing behind the message is touched.
  case missing

  func count(_ missing: Int, of rest: Int) -> Int {
    switch self {
    case .whole: rest
    case .single: 1
    case .missing: min(missing, rest)
    }
  }
}

/// What became of a message, and how much of it was taken.
private struct Outcome<Value: Equatable>: Equatable {
  var value: Value?
  var error: WireError?
  var rest: [UInt8] = []
}

private func checkRequest(_ bytes: [UInt8]) {
  let whole = request(bytes, .whole)
  precondition(request(bytes, .single) == whole, "pieces matter")
  precondition(request(bytes, .missing) == whole, "missingBytes misleads")
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

private func request(_ bytes: [UInt8], _ pieces: Pieces) -> Outcome<OperationRequest> {
  var parser = OperationRequestParser()
  var outcome = Outcome<OperationRequest>()
  var rest = bytes[...]
  do throws(WireError) {
    while outcome.value == nil, !rest.isEmpty {
      let count = pieces.count(parser.missingBytes, of: rest.count)
      precondition(count > 0, "the parser wants nothing and says nothing")
      try parser.append(rest.prefix(count))
      rest = rest.dropFirst(count)
      outcome.value = try parser.next()
    }
    precondition(pieces != .missing || parser.remainder.isEmpty, "missingBytes reads too far")
    outcome.rest = parser.remainder + rest
  } catch {
    outcome.error = error
  }
  return outcome
}

private func checkReply(_ bytes: [UInt8], expecting code: OperationCode) {
  let whole = reply(bytes, expecting: code, .whole)
  precondition(reply(bytes, expecting: code, .single) == whole, "pieces matter")
  precondition(reply(bytes, expecting: code, .missing) == whole, "missingBytes misleads")
  // What was understood must mean the same when we say it.
  switch whole.value {
  case .deviceList(let devices):
    let again = reply(
      OperationReply.deviceList(devices), expecting: code, .whole)
    precondition(again.value == .deviceList(devices.map(written)), "another list")
  case .imported(let device):
    let again = reply(OperationReply.importReply(device), expecting: code, .whole)
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

private func reply(_ bytes: [UInt8], expecting code: OperationCode, _ pieces: Pieces)
  -> Outcome<OperationReplyParser.Parsed>
{
  var parser = OperationReplyParser(expecting: code)
  var outcome = Outcome<OperationReplyParser.Parsed>()
  var rest = bytes[...]
  do throws(WireError) {
    while outcome.value == nil, !rest.isEmpty {
      let count = pieces.count(parser.missingBytes, of: rest.count)
      precondition(count > 0, "the parser wants nothing and says nothing")
      parser.append(rest.prefix(count))
      rest = rest.dropFirst(count)
      outcome.value = try parser.next()
    }
    precondition(pieces != .missing || parser.remainder.isEmpty, "missingBytes reads too far")
    outcome.rest = parser.remainder + rest
  } catch {
    outcome.error = error
  }
  return outcome
}
