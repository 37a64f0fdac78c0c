// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI
internal import LinuxHost
internal import SessionControl
internal import USBIPWire
internal import USBModel

/// The door of our own agents: one Varlink call with `upgrade`, then the URB phase.
extension OperationPhase {
  /// Reads the call whose `first` bytes came already, and gets the device.
  func agentDoor(
    _ connection: borrowing StreamSocket, _ agent: borrowing AgentLink, _ first: [UInt8]
  ) throws(SessionEnd) -> Import {
    let (message, pipelined) = try readCall(connection, first)
    let head = Result { () throws(AgentError) in try Message.decode(CallHead.self, from: message) }
    if case .success(let head) = head, head.method == ImporterCalls.giveBack {
      try giveBack(connection, agent, message)
    }
    let parameters: ExporterCalls.ImportParameters
    let busID: BusID
    let acquired: AgentLink.Acquired
    do throws(AgentError) {
      (parameters, busID) = try OperationPhase.checked(try head.get(), message)
      acquired = try agent.acquire(
        SessionCalls.AcquireParameters(
          busID: busID.description, id: parameters.id.map { PeerText.bounded($0) ?? "" },
          user: PeerText.bounded(parameters.user) ?? "unknown",
          host: PeerText.bounded(parameters.host) ?? "unknown", port: parameters.port))
    } catch {
      let reply = ErrorReply(error, interface: ExporterCalls.interface)
      try answer(connection, OperationPhase.encoded(reply))
      throw .answered
    }
    let device = acquired.device.named(busID)
    let success = Reply(ExporterCalls.ImportResults(device: device))
    let failure = ErrorReply(
      AgentError(.failed, "the device \(busID) cannot be opened"),
      interface: ExporterCalls.interface)
    return Import(
      device: device, node: acquired.takeNode(), pipelined: pipelined,
      replies: Replies(
        success: try OperationPhase.encoded(success), failure: try OperationPhase.encoded(failure)))
  }

  /// Passes the wish of a device's own machine on to the agent, and its answer back; throws `answered`.
  private func giveBack(
    _ connection: borrowing StreamSocket, _ agent: borrowing AgentLink, _ message: [UInt8]
  ) throws(SessionEnd) -> Never {
    let reply: [UInt8]
    do throws(AgentError) {
      let asked = try Message.decode(Call<ImporterCalls.GiveBackParameters>.self, from: message)
        .parameters
      guard let busID = BusID(asked.busid) else {
        throw AgentError(.unknownDevice, "there is no such device")
      }
      let results = try agent.giveBack(
        ImporterCalls.GiveBackParameters(
          exporter: PeerText.bounded(asked.exporter) ?? "", busid: busID.description,
          force: asked.force))
      reply = try Message.encode(Reply(results))
    } catch {
      let failure = ErrorReply(error, interface: ImporterCalls.interface)
      reply = try OperationPhase.encoded(failure)
    }
    // File systems were written and the kernel was waited for meanwhile.
    let end = OperationPhase(deadline: max(deadline, .now + OperationPhase.replyDeadline))
    try end.answer(connection, reply)
    throw .answered
  }

  private func readCall(
    _ connection: borrowing StreamSocket, _ first: [UInt8]
  ) throws(SessionEnd) -> (message: [UInt8], pipelined: [UInt8]) {
    var framer = MessageFramer()
    var bytes = first
    while true {
      do throws(AgentError) {
        try framer.append(bytes)
        if let message = try framer.next() { return (message, framer.pendingBytes) }
      } catch {
        throw .malformedCall
      }
      bytes = try receive(connection)
      guard !bytes.isEmpty else { throw .truncated }
    }
  }

  /// The parameters of the only call there is; throws what the peer is to be told.
  private static func checked(
    _ head: CallHead, _ message: [UInt8]
  ) throws(AgentError) -> (ExporterCalls.ImportParameters, BusID) {
    guard head.method == ExporterCalls.importDevice else {
      throw AgentError(.protocolMismatch, "this exporter does not know the method")
    }
    guard head.upgrade == true else {
      throw AgentError(.protocolMismatch, "an import must be called with upgrade")
    }
    let call = try Message.decode(Call<ExporterCalls.ImportParameters>.self, from: message)
    guard let busID = BusID(call.parameters.busid) else {
      throw AgentError(.unknownDevice, "there is no such device")
    }
    return (call.parameters, busID)
  }

  private static func encoded(_ reply: some Encodable) throws(SessionEnd) -> [UInt8] {
    do throws(AgentError) {
      return try Message.encode(reply)
    } catch {
      throw .agentFailed
    }
  }
}
