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
    let parameters: ExporterCalls.ImportParameters
    let busID: BusID
    let acquired: AgentLink.Acquired
    do throws(AgentError) {
      (parameters, busID) = try OperationPhase.checked(message)
      acquired = try agent.acquire(
        SessionCalls.AcquireParameters(
          busID: busID.description, id: parameters.id.map { PeerText.bounded($0) ?? "" },
          user: PeerText.bounded(parameters.user) ?? "unknown",
          host: PeerText.bounded(parameters.host) ?? "unknown"))
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
    _ message: [UInt8]
  ) throws(AgentError) -> (ExporterCalls.ImportParameters, BusID) {
    let head = try Message.decode(CallHead.self, from: message)
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
