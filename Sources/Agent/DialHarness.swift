// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI
internal import LinuxHost
internal import USBModel

/// Answers the session of one outgoing connection and keeps what it delivers.
struct DialHarness {
  /// What a session was sent for.
  enum Delivery {
    case device(Device, SharedDescriptor)
    case list([Device])
    case gaveBack(notes: [String])
  }

  private let assignment: SessionCalls.Assignment
  private var socket: SharedDescriptor?

  /// What came of it; a session that ended without a word counts as failed.
  private(set) var result: Result<Delivery, AgentError>

  init(assignment: SessionCalls.Assignment, socket: SharedDescriptor) {
    self.assignment = assignment
    self.socket = socket
    result = .failure(
      AgentError(
        .failed, "the session for \(assignment.peer) ended without a result",
        hint: "journalctl -u devconfigd says why"))
  }

  /// Answers one message.
  mutating func answer(_ message: ControlMessage, on channel: ControlChannel) {
    do throws(AgentError) {
      try handle(message, on: channel)
    } catch {
      ControlReply.send(error, on: channel)
    }
  }

  private mutating func handle(
    _ message: ControlMessage, on channel: ControlChannel
  ) throws(AgentError) {
    let body = ControlReply.body(message)
    switch try Message.decode(CallHead.self, from: body).method {
    case SessionCalls.assignment:
      guard let socket else { throw AgentError(.protocolMismatch, "the session has its socket") }
      ControlReply.send(assignment, descriptors: [socket.rawValue], on: channel)
      self.socket = nil
    case SessionCalls.imported:
      let call = try Message.decode(Call<SessionCalls.Acquired>.self, from: body)
      guard let socket = message.descriptors.first else {
        throw AgentError(.protocolMismatch, "the session delivered no socket")
      }
      result = .success(.device(call.parameters.device, socket))
      ControlReply.send(Nothing(), on: channel)
    case SessionCalls.listed:
      let call = try Message.decode(Call<SessionCalls.DeviceList>.self, from: body)
      result = .success(.list(call.parameters.devices))
      ControlReply.send(Nothing(), on: channel)
    case SessionCalls.gaveBack:
      let call = try Message.decode(Call<ImporterCalls.GiveBackResults>.self, from: body)
      result = .success(.gaveBack(notes: call.parameters.notes))
      ControlReply.send(Nothing(), on: channel)
    case SessionCalls.failed:
      let call = try Message.decode(Call<SessionCalls.Failure>.self, from: body)
      result = .failure(call.parameters.agentError)
      ControlReply.send(Nothing(), on: channel)
    case let method:
      throw AgentError(.protocolMismatch, "a session calls \(method), which is unknown")
    }
  }
}
