// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI
internal import Attaching
internal import LinuxHost
internal import Logging
internal import Sharing
internal import USBModel

/// Answers the session of one incoming connection: decodes, asks the inventory, encodes; and hands
/// its answers to whoever asked.
struct ExportHarness {
  let session: SessionNumber
  let peer: NetworkAddress
  /// This machine as the peer knows it.
  private let local: NetworkAddress?
  /// The connection, until the session has it; then only the session keeps it open.
  var socket: SharedDescriptor?
  let inventory: SharedInventory<KernelExportDoor>
  let exports: LiveExports
  let giving: GivingBack<KernelAttachDoor>
  let log: Logger
  /// Once the session has its device: it calls no more, and answers.
  private var line: SessionLine?

  init(
    session: SessionNumber, peer: NetworkAddress, socket: SharedDescriptor,
    inventory: SharedInventory<KernelExportDoor>, exports: LiveExports,
    giving: GivingBack<KernelAttachDoor>, log: Logger
  ) {
    self.session = session
    self.peer = peer
    self.socket = socket
    local = socket.localAddress
    self.inventory = inventory
    self.exports = exports
    self.giving = giving
    self.log = log
  }

  /// Answers one message; a message that is not understood gets an error, and the session goes on.
  mutating func answer(
    _ message: ControlMessage, on channel: ControlChannel, from process: SessionProcess
  ) async {
    let body = ControlReply.body(message)
    if let line {
      // What it does not owe, an agent before this one asked for: nobody waits for it any more.
      _ = await line.take(body)
      return
    }
    do throws(AgentError) {
      switch try Message.decode(CallHead.self, from: body).method {
      case SessionCalls.assignment:
        try assign(on: channel)
      case SessionCalls.exportedDevices:
        let devices = await inventory.devices().filter { $0.state != .denied }.map(\.device)
        ControlReply.send(SessionCalls.DeviceList(devices: devices), on: channel)
      case SessionCalls.acquire:
        let call = try Message.decode(Call<SessionCalls.AcquireParameters>.self, from: body)
        try await acquire(call.parameters, on: channel, for: process)
      case SessionCalls.giveBack:
        let call = try Message.decode(Call<ImporterCalls.GiveBackParameters>.self, from: body)
        guard peer.isPrivileged else {
          throw AgentError(.notPermitted, "only root of the device's machine may ask for it")
        }
        let notes = try await giving.give(
          call.parameters, askedFrom: [peer.host, peer.numericHost])
        ControlReply.send(ImporterCalls.GiveBackResults(notes: notes), on: channel)
      case let method:
        throw AgentError(.protocolMismatch, "a session calls \(method), which is unknown")
      }
    } catch {
      if error.kind == .protocolMismatch {
        log.warning(
          "a session sent what is not understood, refusing",
          metadata: ["session": "\(session.value)", "error": "\(error.message)"])
      }
      ControlReply.send(error, on: channel)
    }
  }

  private mutating func assign(on channel: ControlChannel) throws(AgentError) {
    guard let socket else { throw AgentError(.protocolMismatch, "the session has its socket") }
    let assignment = SessionCalls.Assignment(
      role: .export, peer: "\(peer)", deadline: SessionHost.operationDeadline)
    ControlReply.send(assignment, descriptors: [socket.rawValue], on: channel)
    self.socket = nil
  }

  /// True where the device at `busID` is the one announced as `id`, with its serial or without.
  private func isCalled(_ id: String, _ busID: BusID) async -> Bool {
    let device = await inventory.devices().first { $0.device.busID == busID }?.device
    return device?.identity == id || device?.placeIdentity == id
  }

  private mutating func acquire(
    _ parameters: SessionCalls.AcquireParameters, on channel: ControlChannel,
    for process: SessionProcess
  ) async throws(AgentError) {
    guard let busID = BusID(parameters.busID) else {
      throw AgentError(.unknownDevice, "there is no such device here")
    }
    if let id = parameters.id, await !isCalled(id, busID) {
      throw AgentError(
        .unknownDevice, "another device is plugged in at \(busID) now",
        hint: "devconfig list shows where it is")
    }
    // Without a name of its own a plain peer is known by its address.
    let user = RemoteUser(
      user: parameters.user ?? "unknown", host: parameters.host ?? peer.host)
    let (device, claim) = try await inventory.acquire(busID, for: user, session: session)
    ControlReply.send(
      SessionCalls.Acquired(device: device), descriptors: [claim.usbfs.rawValue], on: channel)
    // Its next message is an answer: after the reply above it asks nothing.
    let line = SessionLine(channel)
    self.line = line
    let agent = parameters.port.map {
      AgentAddress(host: peer.numericHost, port: $0, from: local?.numericHost)
    }
    let holder = LiveExports.Holder(session: session, agent: agent, process: process)
    let held = HeldSession(
      pid: process.pid, device: device, user: user, peer: "\(peer)", agent: agent,
      began: HostClock.monotonic)
    do throws(HostError) {
      await exports.begin(
        held, holder, line, control: try channel.duplicate(), hubPort: claim.hubPort)
    } catch {
      // Without a descriptor to keep it ends with the agent.
      await exports.begin(busID, holder, line)
    }
  }
}
