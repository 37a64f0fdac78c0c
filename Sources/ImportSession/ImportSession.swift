// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

public import AgentAPI
public import LinuxHost
public import SessionControl
internal import SystemPackage
internal import USBIPWire
internal import USBModel

/// One outgoing connection: up to an imported device, or an exporter's device list.
public enum ImportSession {
  /// Milliseconds; an agent that asks for more is mistaken.
  private static let maximumDeadline = 60_000
  /// How long one address is given to take a connection.
  ///
  /// Time for the two repetitions that the kernel sends after 1 s and 3 s (RFC 6298, section 2); a machine
  /// that is off keeps nobody waiting for longer.
  private static let connectDeadline = Duration.seconds(4)

  /// Imports a device on `socket`, which is not connected yet, and delivers both to the agent.
  ///
  /// Throws `AgentError` in the words for the person who asked; the caller reports it.
  public static func importDevice(
    _ assignment: SessionCalls.Assignment, socket: consuming OwnedDescriptor,
    agent: borrowing AgentLink
  ) throws(AgentError) {
    guard let text = assignment.busID, let busID = BusID(text) else { throw incomplete }
    let connection = StreamSocket(socket)
    let exchange = try connect(assignment, connection)
    let device: Device
    switch assignment.door {
    case .agent:
      device = try AgentDoor.importDevice(
        ExporterCalls.ImportParameters(
          busid: busID.description, id: assignment.deviceID, user: assignment.user ?? "",
          host: assignment.host ?? "", port: assignment.agentPort), exchange, connection)
    case .plain:
      device = try PlainDoor.importDevice(busID, exchange, connection)
    case nil:
      throw incomplete
    }
    try exchange.check(device, is: busID)
    do throws(HostError) {
      try connection.setBlocking()
    } catch {
      throw exchange.failure(error)
    }
    try agent.deliver(PeerText.bounded(device), connection)
  }

  /// Asks the exporter for its device list and delivers it to the agent.
  ///
  /// Throws as `importDevice`.
  public static func listDevices(
    _ assignment: SessionCalls.Assignment, socket: consuming OwnedDescriptor,
    agent: borrowing AgentLink
  ) throws(AgentError) {
    let connection = StreamSocket(socket)
    let exchange = try connect(assignment, connection)
    let devices = try PlainDoor.listDevices(exchange, connection)
    try agent.deliver(devices.prefix(maximumDelivered).map { PeerText.bounded($0) })
  }

  /// Devices of one list that are delivered: as many as one message to the agent holds.
  public static let maximumDelivered = 128

  static let incomplete = AgentError(
    .protocolMismatch, "the agent's assignment is incomplete")

  static func connect(
    _ assignment: SessionCalls.Assignment, _ connection: borrowing StreamSocket
  ) throws(AgentError) -> Exchange {
    guard let host = assignment.address, let port = assignment.port,
      let address = NetworkAddress(numeric: host, port: port)
    else { throw incomplete }
    let deadline = Duration.milliseconds(max(0, min(assignment.deadline, maximumDeadline)))
    let exchange = Exchange(peer: assignment.peer, deadline: .now + deadline)
    do throws(HostError) {
      try connection.connect(to: address, before: min(exchange.deadline, .now + connectDeadline))
    } catch {
      throw AgentError(.unreachable, "\(assignment.peer) does not answer: \(error.code)")
    }
    return exchange
  }
}
