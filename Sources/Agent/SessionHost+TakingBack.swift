// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI
internal import LinuxHost
internal import USBModel

extension SessionHost {
  /// Milliseconds until an importer has given a device back: it writes file systems and waits for its kernel, as
  /// long as its session waits for that (`AgentLink.writingPatience`).
  static let giveBackDeadline = 60_000

  /// Asks the agent at `address` to give the device at `busID` back; what it says of how that went.
  ///
  /// `agent` is this machine's lasting name. Throws `AgentError` in the importer's words, or `unreachable`.
  func takeBack(
    _ busID: BusID, from address: AgentAddress, as agent: String, force: Bool
  ) async throws(AgentError) -> [String] {
    guard let target = NetworkAddress(numeric: address.host, port: address.port) else {
      throw AgentError(.unreachable, "\(address.host) is no address")
    }
    let assignment = SessionCalls.Assignment(
      role: .takeBack, peer: "\(target)", address: address.host, port: address.port, door: .agent,
      busID: busID.description, agent: agent, force: force ? true : nil,
      deadline: SessionHost.giveBackDeadline)
    let local = address.from.flatMap { NetworkAddress(numeric: $0, port: 0) }
    let delivery = try await dial(assignment) { () throws(HostError) in
      try DialSocket.makePrivileged(for: target, from: local)
    }
    guard case .gaveBack(let notes) = delivery else {
      throw AgentError(.failed, "the session delivered something else")
    }
    return notes
  }
}
