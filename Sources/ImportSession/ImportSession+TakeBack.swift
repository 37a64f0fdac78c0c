// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

public import AgentAPI
public import LinuxHost
public import SessionControl
internal import USBModel

extension ImportSession {
  /// Asks the importer on `socket`, which is not connected yet, to give a device back, and delivers its answer.
  ///
  /// Throws as `importDevice`.
  public static func takeBack(
    _ assignment: SessionCalls.Assignment, socket: consuming OwnedDescriptor,
    agent: borrowing AgentLink
  ) throws(AgentError) {
    guard let text = assignment.busID, let busID = BusID(text), let name = assignment.agent else {
      throw incomplete
    }
    let connection = StreamSocket(socket)
    let exchange = try connect(assignment, connection)
    let results = try AgentDoor.takeBack(
      ImporterCalls.GiveBackParameters(
        exporter: name, busid: busID.description, force: assignment.force), exchange, connection)
    try agent.deliver(PeerText.bounded(results))
  }
}
