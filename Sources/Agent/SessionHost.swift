// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI
internal import Attaching
internal import LinuxHost
internal import Logging
internal import Sharing
internal import Synchronization
internal import SystemPackage
internal import USBModel

/// Starts a session process for each network connection and answers what it asks.
///
/// The agent itself reads no byte from the network: it passes the connected socket on and talks to
/// the session over a control socket.
struct SessionHost: Sendable {
  /// Milliseconds until an operation phase that does not end is given up (facts: slow peers).
  static let operationDeadline = 8000
  /// How long a session may take to end after it was told to.
  static let endLimit = Duration.seconds(3)

  let executable: FilePath
  let confinement: SessionConfinement
  let inventory: SharedInventory<KernelExportDoor>
  let exports: LiveExports
  let hostName: String
  /// The TCP port of this agent, as told to exporters.
  let port: UInt16
  let log: Logger
  private let count = Counter()

  init(
    executable: FilePath, confinement: SessionConfinement,
    inventory: SharedInventory<KernelExportDoor>, exports: LiveExports, hostName: String,
    port: UInt16, log: Logger
  ) {
    self.executable = executable
    self.confinement = confinement
    self.inventory = inventory
    self.exports = exports
    self.hostName = hostName
    self.port = port
    self.log = log
  }

  /// Serves one incoming connection until its session process has ended.
  ///
  /// Cancelling tells the session to end; either way the device is given back before this returns.
  func serve(
    _ socket: SharedDescriptor, peer: NetworkAddress, giving: GivingBack<KernelAttachDoor>
  ) async {
    let session = SessionNumber(count.next())
    let metadata: Logger.Metadata = ["peer.address": "\(peer)", "session": "\(session.value)"]
    do {
      var harness = ExportHarness(
        session: session, peer: peer, socket: socket, inventory: inventory, exports: exports,
        giving: giving, log: log)
      let end = try await converse(as: .export) { message, channel, process in
        await harness.answer(message, on: channel, from: process)
      }
      if let reason = end?.disorder {
        log.error("a session was ended by a signal", metadata: metadata.adding("reason", reason))
      }
    } catch let error as HostError {
      log.error("a session cannot be started", metadata: metadata.adding("error", "\(error)"))
    } catch {
      log.error("a session ended in disorder", metadata: metadata.adding("error", "\(error)"))
    }
    await exports.end(session)
    await inventory.release(session: session)
  }

  /// Takes over a session that an agent before this one started, before devices are listed.
  func adopt(_ session: AdoptedSession) async -> SessionNumber {
    let number = SessionNumber(count.next())
    await inventory.adopt(session.held.device, for: session.held.user, session: number)
    let holder = LiveExports.Holder(
      session: number, agent: session.held.agent, process: session.process)
    await exports.begin(session.held.device.busID, holder, session.line)
    return number
  }

  /// Follows a session that was taken over to its end, as `serve`.
  func follow(_ session: AdoptedSession, _ number: SessionNumber) async {
    _ = await follow(session.process, session.channel) { message, _, _ in
      _ = await session.line.take(ControlReply.body(message))
    }
    await exports.end(number)
    await inventory.release(session: number)
  }

  /// Asks the exporter for a device; returns it with the connected socket.
  ///
  /// Its addresses are tried in order until one answers. Throws `AgentError`.
  func importDevice(
    _ wanted: RemoteDevice, as user: RemoteUser
  ) async throws(AgentError) -> (device: Device, socket: SharedDescriptor) {
    let exporter = wanted.exporter
    let (name, host) = (user.name, user.host ?? hostName)
    let delivery = try await dial(exporter) { address, port in
      SessionCalls.Assignment(
        role: .importDevice, peer: "\(address)", address: address.numericHost, port: port,
        door: exporter.agent == nil ? .plain : .agent, busID: wanted.busID,
        deviceID: exporter.agent == nil ? nil : wanted.identity, user: name, host: host,
        agentPort: exporter.agent == nil ? nil : port,
        deadline: SessionHost.operationDeadline)
    }
    guard case .device(let device, let socket) = delivery else {
      throw AgentError(.failed, "the session delivered no device")
    }
    return (device, socket)
  }

  /// Reads the device list of an exporter that announces nothing.
  func listDevices(of exporter: Exporter) async throws(AgentError) -> [Device] {
    let delivery = try await dial(exporter) { address, port in
      SessionCalls.Assignment(
        role: .listDevices, peer: "\(address)", address: address.numericHost, port: port,
        door: .plain,
        deadline: SessionHost.operationDeadline)
    }
    guard case .list(let devices) = delivery else {
      throw AgentError(.failed, "the session delivered no list")
    }
    return devices
  }

  private func dial(
    _ exporter: Exporter, _ assignment: (NetworkAddress, UInt16) -> SessionCalls.Assignment
  ) async throws(AgentError) -> DialHarness.Delivery {
    var failure = AgentError(
      .unreachable, "\(exporter.host) has no address that can be reached",
      hint: "devconfig list shows what there is")
    for text in exporter.addresses.prefix(4) {
      guard let address = NetworkAddress(numeric: text, port: exporter.port) else { continue }
      do throws(AgentError) {
        return try await dial(address, assignment(address, exporter.port))
      } catch {
        // Only an address that does not answer is worth another try; a refusal is an answer.
        guard error.kind == .unreachable else { throw SessionHost.advised(error, exporter) }
        failure = error
        failure.message = "\(exporter.host) does not answer: \(error.message)"
      }
    }
    throw SessionHost.advised(failure, exporter)
  }

  /// Adds the next step; what sessions and exporters say has none that helps on this machine.
  private static func advised(_ error: AgentError, _ exporter: Exporter) -> AgentError {
    guard error.hint.isEmpty else { return error }
    var advised = error
    switch error.kind {
    case .inUse, .denied:
      advised.hint = "devconfig list shows who has it, or why \(exporter.host) keeps it"
    case .unknownDevice:
      advised.hint = "devconfig list shows what there is"
    case .unreachable, .timedOut:
      advised.hint = "check that \(exporter.host) is on and can be reached: ping \(exporter.host)"
    case .protocolMismatch:
      advised.hint = "check what listens on TCP port \(exporter.port) of \(exporter.host)"
    default:
      advised.hint = "the journals of both machines say why: journalctl -u devconfigd"
    }
    return advised
  }

  /// Sends a session to `address`; throws `AgentError`.
  private func dial(
    _ address: NetworkAddress, _ assignment: SessionCalls.Assignment
  ) async throws(AgentError) -> DialHarness.Delivery {
    try await dial(assignment) { () throws(HostError) in try DialSocket.make(for: address) }
  }

  /// Sends a session through the socket that `make` returns; throws `AgentError`.
  func dial(
    _ assignment: SessionCalls.Assignment, _ make: () throws(HostError) -> OwnedDescriptor
  ) async throws(AgentError) -> DialHarness.Delivery {
    do {
      let socket = SharedDescriptor(try make())
      var harness = DialHarness(assignment: assignment, socket: socket)
      let end = try await converse(as: assignment.role) { message, channel, _ in
        harness.answer(message, on: channel)
      }
      if let reason = end?.disorder { throw AgentError(.failed, "a session ended: \(reason)") }
      return try harness.result.get()
    } catch let error as AgentError {
      throw error
    } catch let error as HostError {
      throw AgentError(.failed, "a session cannot be started (\(error))")
    } catch {
      throw AgentError(.failed, "a session ended in disorder")
    }
  }

  /// Starts a session, hands its messages to `answer` until it ends, and returns how it did.
  private func converse(
    as role: SessionCalls.Role,
    _ answer: (ControlMessage, ControlChannel, SessionProcess) async -> Void
  ) async throws -> SessionProcess.End? {
    let pair = try ControlChannel.pair()
    let channel = pair.agent
    let process = try SessionProcess.start(
      executable: executable, control: pair.takeSession(),
      arguments: confinement.arguments(for: role).list)
    return await follow(process, channel, answer)
  }

  /// Hands a session's messages to `answer` until it ends, and returns how it did.
  ///
  /// Cancelling tells it to end.
  private func follow(
    _ process: SessionProcess, _ channel: ControlChannel,
    _ answer: (ControlMessage, ControlChannel, SessionProcess) async -> Void
  ) async -> SessionProcess.End? {
    await withTaskCancellationHandler {
      for await message in channel.incoming {
        await answer(message, channel, process)
      }
    } onCancel: {
      process.terminate()
    }
    // The control socket is closed: the process is about to end, or it hangs and is made to.
    channel.close()
    // Both tasks are owned by this call and end before it does. They are no children: those would be
    // cancelled with the caller, and this must wait for the end of the process all the more then.
    let limit = Task {
      try await Task.sleep(for: SessionHost.endLimit)
      process.kill()
    }
    let end = Task { await process.ended() }
    let ended = await end.value
    limit.cancel()
    return ended
  }
}

/// Counts up from 1.
private final class Counter: Sendable {
  private let value = Mutex<UInt64>(0)

  func next() -> UInt64 {
    value.withLock { value in
      value += 1
      return value
    }
  }
}

extension Logger.Metadata {
  /// The same with one more entry.
  func adding(_ key: String, _ value: String) -> Logger.Metadata {
    merging([key: "\(value)"]) { $1 }
  }
}
