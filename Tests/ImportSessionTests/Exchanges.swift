// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import ImportSession
import LinuxHost
import SessionControl
import TestSupport

/// Runs an import session against an exporter that `script` plays; the session's error, if any.
func exchange(
  _ role: SessionCalls.Role = .importDevice, door: SessionCalls.Door = .plain,
  busID: String = "3-2.1", force: Bool? = nil, deadline: Int = 8000, agent: LoopbackPeerAgent,
  _ script: @escaping @Sendable (inout LoopbackPeer) throws -> Void
) async throws -> AgentError? {
  let listener = try LoopbackPeerListener()
  let port = listener.port
  let assignment = SessionCalls.Assignment(
    role: role, peer: "127.0.0.1:\(port)", address: "127.0.0.1", port: port, door: door,
    busID: busID, user: "ann", host: "desk-7", agent: "desk-7-agent", force: force,
    deadline: deadline)
  async let error = BackgroundThread.run { try importing(assignment, agent) }
  let shared = SharedListener(listener)
  try await BackgroundThread.run {
    var peer = try shared.listener.accept()
    try script(&peer)
    peer.finishSending()
  }
  return try await error
}

/// Runs one session to its end; the error it would report, if any.
func importing(
  _ assignment: SessionCalls.Assignment, _ agent: LoopbackPeerAgent
) throws -> AgentError? {
  guard let address = NetworkAddress(numeric: assignment.address ?? "", port: 0) else { return nil }
  let socket = try DialSocket.make(for: address)
  let link = try agent.link()
  do throws(AgentError) {
    switch assignment.role {
    case .listDevices:
      try ImportSession.listDevices(assignment, socket: socket, agent: link)
    case .takeBack:
      try ImportSession.takeBack(assignment, socket: socket, agent: link)
    default:
      try ImportSession.importDevice(assignment, socket: socket, agent: link)
    }
    return nil
  } catch {
    return error
  }
}

/// Carries the listener into a thread.
private final class SharedListener: Sendable {
  let listener: LoopbackPeerListener

  init(_ listener: consuming LoopbackPeerListener) {
    self.listener = listener
  }
}
