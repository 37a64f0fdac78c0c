// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

public import AgentAPI
public import LinuxHost
public import USBModel

/// The session's side of the control socket: calls to the agent, one at a time, until it has a device;
/// then the agent's questions.
///
/// Calls wait for the answer: a session has nothing else to do meanwhile. Questions wait for nothing.
public struct AgentLink: ~Copyable {
  /// Milliseconds the agent may take for one answer: it opens and claims devices meanwhile.
  public static let patience = 30_000
  /// The same where it writes file systems first: 20 s each, and two are common.
  public static let writingPatience = 55_000

  private let socket: ControlSocket

  /// What `acquire` brings: the device, and its usbfs node with all interfaces claimed.
  public struct Acquired: ~Copyable {
    /// The device as it is handed over.
    public let device: Device
    /// The open usbfs node.
    public let node: OwnedDescriptor

    /// The node alone.
    public consuming func takeNode() -> OwnedDescriptor { node }
  }

  /// What the session is to do, and the network socket to do it with.
  public struct Assigned: ~Copyable {
    /// What to do.
    public let assignment: SessionCalls.Assignment
    /// The socket: connected for an export, else not.
    public let socket: OwnedDescriptor

    /// The socket alone.
    public consuming func takeSocket() -> OwnedDescriptor { socket }
  }

  /// Takes over the control socket.
  public init(_ socket: consuming ControlSocket) {
    self.socket = socket
  }

  /// The number to poll: it hangs up when the agent goes.
  public var rawValue: Int32 { socket.rawValue }

  /// Asks what to do.
  ///
  /// Throws `AgentError`: the agent's own, or `protocolMismatch` where its answer makes no sense.
  public borrowing func assignment() throws(AgentError) -> Assigned {
    let (reply, descriptor) = try call(
      SessionCalls.assignment, Nothing(), SessionCalls.Assignment.self)
    guard let descriptor else { throw AgentLink.noDescriptor }
    return Assigned(assignment: reply, socket: try AgentLink.owned(descriptor))
  }

  /// Asks for the devices this machine exports; throws as `assignment()`.
  public borrowing func exportedDevices() throws(AgentError) -> [Device] {
    try call(SessionCalls.exportedDevices, Nothing(), SessionCalls.DeviceList.self).0.devices
  }

  /// Asks for a device on behalf of the peer; throws as `assignment()`.
  public borrowing func acquire(
    _ parameters: SessionCalls.AcquireParameters
  ) throws(AgentError) -> Acquired {
    let (reply, descriptor) = try call(
      SessionCalls.acquire, parameters, SessionCalls.Acquired.self)
    guard let descriptor else { throw AgentLink.noDescriptor }
    return Acquired(device: reply.device, node: try AgentLink.owned(descriptor))
  }

  /// Asks to give a device back that the peer shares; what people should know of how it went.
  ///
  /// Throws as `assignment()`.
  public borrowing func giveBack(
    _ parameters: ImporterCalls.GiveBackParameters
  ) throws(AgentError) -> ImporterCalls.GiveBackResults {
    try call(
      SessionCalls.giveBack, parameters, ImporterCalls.GiveBackResults.self,
      patience: AgentLink.writingPatience
    ).0
  }

  /// Hands over that an importer has given a device back; throws as `assignment()`.
  public borrowing func deliver(_ results: ImporterCalls.GiveBackResults) throws(AgentError) {
    _ = try call(SessionCalls.gaveBack, results, Nothing.self)
  }

  /// Hands over an imported device and the socket it comes through; throws as `assignment()`.
  public borrowing func deliver(
    _ device: Device, _ connection: borrowing StreamSocket
  ) throws(AgentError) {
    _ = try call(
      SessionCalls.imported, SessionCalls.Acquired(device: device), Nothing.self,
      descriptors: [connection.rawValue])
  }

  /// Hands over an exporter's list; throws as `assignment()`.
  public borrowing func deliver(_ devices: [Device]) throws(AgentError) {
    _ = try call(SessionCalls.listed, SessionCalls.DeviceList(devices: devices), Nothing.self)
  }

  /// Tells that the assignment failed; throws as `assignment()`.
  public borrowing func report(_ error: AgentError) throws(AgentError) {
    _ = try call(SessionCalls.failed, SessionCalls.Failure(error), Nothing.self)
  }

  private borrowing func call<Parameters, Results>(
    _ method: String, _ parameters: Parameters, _ results: Results.Type, descriptors: [Int32] = [],
    patience: Int = AgentLink.patience
  ) throws(AgentError) -> (Results, SharedDescriptor?)
  where Parameters: Codable & Sendable, Results: Codable & Sendable {
    let message = try Message.encode(Call(method, parameters))
    let reply: ControlMessage?
    do throws(HostError) {
      try socket.send(message, descriptors: descriptors)
      reply = try socket.receive(deadline: patience)
    } catch {
      throw AgentError(.failed, "the agent cannot be asked: \(error)")
    }
    guard let reply else { throw AgentLink.gone }
    var content = reply.bytes
    if content.last == 0 { content.removeLast() }
    let decoded = try Message.decodeReply(results, from: content)
    return (decoded.parameters, reply.descriptors.first)
  }

  /// One packet that is there already; `nil` where the agent has closed its end.
  ///
  /// Throws `HostError`: `ETIMEDOUT` where there is none.
  borrowing func receiveNow() throws(HostError) -> ControlMessage? {
    try socket.receive(deadline: 0)
  }

  /// Sends a packet if the agent takes it at once.
  borrowing func sendNow(_ bytes: [UInt8]?) {
    guard let bytes else { return }
    try? socket.send(bytes, deadline: 0)
  }

  private static func owned(_ shared: SharedDescriptor) throws(AgentError) -> OwnedDescriptor {
    do throws(HostError) {
      return try shared.duplicate()
    } catch {
      throw AgentError(.failed, "a descriptor cannot be kept: \(error)")
    }
  }

  /// The error of every call once the agent has closed its end.
  public static let gone = AgentError(.failed, "the agent is gone")
  private static let noDescriptor = AgentError(
    .protocolMismatch, "the agent's answer has no descriptor")
}
