// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import USBModel

/// The talk between agents: messages cut out of a stream, and what a network peer says in them.
///
/// The stream must be the same whatever the pieces; what was understood must mean the same when we
/// say it.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzMessages(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  // SAFETY: libFuzzer passes `count` readable bytes that live as long as this call.
  let input = [UInt8](UnsafeBufferPointer(start: start, count: count))
  let whole = messages(input, piece: max(1, count))
  precondition(messages(input, piece: 1) == whole, "pieces matter")
  let length = whole.messages.reduce(whole.pending.count) { $0 + $1.count + 1 }
  precondition(length == count, "bytes went astray")
  for message in whole.messages {
    checkCall(message)
    checkReply(message)
    checkReturn(message)
    checkLocalCall(message)
    checkStatistics(message)
  }
  return 0
}

private struct Cut: Equatable {
  var messages: [[UInt8]] = []
  var pending: [UInt8] = []
}

private func messages(_ bytes: [UInt8], piece: Int) -> Cut {
  var framer = MessageFramer()
  var cut = Cut()
  do throws(AgentError) {
    for start in stride(from: 0, to: bytes.count, by: piece) {
      try framer.append(bytes[start..<min(start + piece, bytes.count)])
      while let message = try framer.next() { cut.messages.append(message) }
    }
  } catch {
    preconditionFailure("no input is as long as the limit")
  }
  cut.pending = framer.pendingBytes
  return cut
}

/// What an importer says to an exporter.
private func checkCall(_ message: [UInt8]) {
  _ = try? Message.decode(CallHead.self, from: message)
  typealias Import = Call<ExporterCalls.ImportParameters>
  guard let call = try? Message.decode(Import.self, from: message) else { return }
  guard let bytes = try? Message.encode(call) else { preconditionFailure("cannot be said") }
  let again = try? Message.decode(Import.self, from: bytes.dropLast())
  precondition(again?.parameters == call.parameters && again?.method == call.method, "another call")
}

/// What an exporter says to the importer that has its device.
private func checkReturn(_ message: [UInt8]) {
  typealias GiveBack = Call<ImporterCalls.GiveBackParameters>
  if let call = try? Message.decode(GiveBack.self, from: message) {
    guard let bytes = try? Message.encode(call) else { preconditionFailure("cannot be said") }
    let again = try? Message.decode(GiveBack.self, from: bytes.dropLast())
    precondition(again?.parameters == call.parameters, "another call")
  }
  if let reply = try? Message.decodeReply(ImporterCalls.GiveBackResults.self, from: message) {
    guard let bytes = try? Message.encode(reply) else { preconditionFailure("cannot be said") }
    let again = try? Message.decodeReply(
      ImporterCalls.GiveBackResults.self, from: bytes.dropLast())
    precondition(again?.parameters == reply.parameters, "another answer")
  }
}

/// What any user of this machine says to the agent, whoever may do what.
private func checkLocalCall(_ message: [UInt8]) {
  let selectors = [
    (try? Message.decode(Call<AgentCalls.UpParameters>.self, from: message))?.parameters.device,
    (try? Message.decode(Call<AgentCalls.DownParameters>.self, from: message))?.parameters.device,
    (try? Message.decode(Call<AgentCalls.TakeBackParameters>.self, from: message))?.parameters
      .device,
    (try? Message.decode(Call<AgentCalls.StatusParameters>.self, from: message))?.parameters
      .device,
    (try? Message.decode(Call<AgentCalls.CaptureParameters>.self, from: message))?.parameters
      .device,
  ]
  for case let selector? in selectors {
    do throws(AgentError) {
      let found = try Selector.find(selector, in: devices)
      precondition(devices.contains(found), "a device that is not there")
    } catch {
      precondition(!error.message.isEmpty && !error.hint.isEmpty, "an error without a next step")
    }
  }
  let name = (try? Message.decode(Call<AgentCalls.NameParameters>.self, from: message))?.parameters
    .name
  if let name, let given = try? GivenName(name) {
    precondition(given.description == name, "another name")
    precondition(name.utf8.count <= GivenName.maximumLength, "a name beyond the limit")
  }
}

/// What a session says it has counted: its process talks to whoever has the device.
private func checkStatistics(_ message: [UInt8]) {
  guard
    let answer = try? Message.decodeReply(SessionStatistics.self, from: message).parameters,
    let checked = try? answer.checked()
  else { return }
  precondition(checked.endpoints.count <= 32, "more endpoints than a device has")
}

private let devices = [
  DeviceStatus(
    id: 1, name: "Optical Storage", host: "alpha", address: "10.9.0.1", port: 3240, busID: "1-2",
    vendorID: "04bb", productID: "0147", serial: "0A1B2C", localState: .attached,
    remoteState: .inUse, remoteUser: RemoteUser("taka@beta"), isLocal: false),
  DeviceStatus(
    id: 2, name: "Optical Storage", host: "gamma", address: "10.9.0.3", port: 3240, busID: "1-2",
    vendorID: "04bb", productID: "0147", localState: .detached, remoteState: .available,
    isLocal: false),
]

/// What an exporter answers.
private func checkReply(_ message: [UInt8]) {
  do throws(AgentError) {
    let reply = try Message.decodeReply(ExporterCalls.ImportResults.self, from: message)
    let bytes = try Message.encode(reply)
    let again = try Message.decodeReply(
      ExporterCalls.ImportResults.self, from: bytes.dropLast())
    precondition(again.parameters == reply.parameters, "another device")
  } catch {
    precondition(error.message.utf8.count <= 2 * message.count + 64, "an error beyond its cause")
  }
}
