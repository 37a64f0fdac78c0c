// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI
internal import Attaching
internal import LinuxHost
internal import Logging
internal import USBModel

/// One whole reply, its NUL included, and the descriptor that goes beside it.
struct LocalReply: Sendable {
  var bytes: [UInt8]
  var descriptor: SharedDescriptor?
}

/// Serves one connection on the local socket: decodes a call, checks the caller's right, answers.
struct LocalHarness: Sendable {
  let catalogue: Catalogue
  let attachments: Attachments<KernelAttachDoor>
  let kept: KeptAttachments<KernelAttachDoor>
  let exports: LiveExports
  let policy: PolicySource
  let sequences: SequenceWatch
  let sleep: MachineSleep
  let taking: TakingBack
  let about: AgentCalls.AboutResults
  let log: Logger

  private var inspection: DeviceInspection {
    DeviceInspection(
      catalogue: catalogue, attachments: attachments, exports: exports, sequences: sequences,
      host: about.host, log: log)
  }

  /// Answers call after call until the caller closes or sends what is no message.
  func serve(_ connection: LocalConnection) async {
    var framer = MessageFramer()
    defer { connection.close() }
    for await bytes in connection.incoming {
      do throws(AgentError) {
        try framer.append(bytes)
        while let message = try framer.next() {
          let reply = await answer(message, peer: connection.peer)
          do {
            try await connection.send(reply.bytes, descriptor: reply.descriptor)
          } catch {
            return
          }
        }
      } catch {
        // Where one message ends and the next begins is lost: say so and close.
        log.info(
          "a local caller sent what is no message, closing",
          metadata: ["peer.uid": "\(connection.peer.uid)", "error": "\(error.message)"])
        try? await connection.send(encode(error).bytes)
        return
      }
    }
  }

  /// The whole reply to one message.
  func answer(_ message: [UInt8], peer: PeerCredentials) async -> LocalReply {
    do throws(AgentError) {
      switch try Message.decode(CallHead.self, from: message).method {
      case AgentCalls.list:
        return try encode(AgentCalls.ListResults(devices: await catalogue.list()))
      case AgentCalls.about:
        return try encode(about)
      case AgentCalls.up:
        try await checkRight(peer)
        let call = try Message.decode(Call<AgentCalls.UpParameters>.self, from: message)
        return try encode(try await up(call.parameters, peer))
      case AgentCalls.down:
        try await checkRight(peer)
        let call = try Message.decode(Call<AgentCalls.DownParameters>.self, from: message)
        return try encode(try await down(call.parameters))
      case AgentCalls.name:
        try await checkRight(peer)
        let call = try Message.decode(Call<AgentCalls.NameParameters>.self, from: message)
        let name = try call.parameters.name.map { text throws(AgentError) in try GivenName(text) }
        return try encode(try await catalogue.give(name, to: call.parameters.device))
      case AgentCalls.takeBack:
        try checkRoot(peer, "take a device back from its user")
        let call = try Message.decode(Call<AgentCalls.TakeBackParameters>.self, from: message)
        return try encode(try await takeBack(call.parameters))
      case AgentCalls.reload:
        try checkRoot(peer, "change what is shared")
        await policy.reload()
        return try encode(AgentCalls.ReloadResults(mistake: await policy.mistake))
      case AgentCalls.sleep:
        try checkRoot(peer, "tell that this machine sleeps")
        return try encode(AgentCalls.SleepResults(left: await sleep.begin()))
      case AgentCalls.wake:
        try checkRoot(peer, "tell that this machine is awake")
        await sleep.end()
        return try encode(Nothing())
      case AgentCalls.status:
        // How often somebody's keyboard says something is nobody's business either.
        try await checkRight(peer)
        let call = try Message.decode(Call<AgentCalls.StatusParameters>.self, from: message)
        return try encode(
          AgentCalls.StatusResults(
            devices: try await inspection.reports(call.parameters.device),
            mistake: await policy.mistake, controllers: await controllers()))
      case AgentCalls.capture:
        try await checkRight(peer)
        let call = try Message.decode(Call<AgentCalls.CaptureParameters>.self, from: message)
        var reply = try encode(Nothing())
        reply.descriptor = try await inspection.capture(call.parameters, for: peer)
        return reply
      case let method:
        throw AgentError(
          .protocolMismatch, "the agent \(Product.version) knows no call \(method)",
          hint: "install the same version of devconfig and devconfigd")
      }
    } catch {
      return encode(error)
    }
  }

  /// The controllers of vhci_hcd as they are now; `nil` where there are none.
  private func controllers() async -> [ControllerReport]? {
    await sequences.look()
    let reports = await sequences.reports
    return reports.isEmpty ? nil : reports
  }

  private func up(
    _ parameters: AgentCalls.UpParameters, _ peer: PeerCredentials
  ) async throws(AgentError) -> AgentCalls.Outcome {
    switch try await catalogue.find(parameters.device) {
    case .local(let status):
      return AgentCalls.Outcome(device: try mine(status), changed: false)
    case .remote(let status, let device):
      guard await !sleep.isAsleep else {
        throw AgentError(
          .failed, "this machine is about to sleep", hint: "type it again when it is awake")
      }
      // What an announcement says, or that there is none now, is a hint only: the exporter itself
      // is asked, which works while Avahi is away too.
      let user = RemoteUser(user: await peer.userName(), host: about.host)
      guard parameters.keep == true else {
        let changed = try await attachments.up(device, as: user)
        return AgentCalls.Outcome(
          device: await catalogue.status(device.key) ?? status, changed: changed)
      }
      return try await keep(device, status, for: user)
    }
  }

  /// A device of this machine, which is up by itself and not to be let go of; throws where somebody else has it.
  private func mine(_ status: DeviceStatus) throws(AgentError) -> DeviceStatus {
    guard status.remoteState != .inUse else {
      throw AgentError(
        .inUse, "\(status.name) is in use by \(status.remoteUser)",
        hint:
          "ask \(status.remoteUser) for it, or take it back: devconfig unshare --now \(status.id)")
    }
    return status
  }

  /// Attaches and keeps; a device that cannot be attached now is kept all the same.
  private func keep(
    _ device: RemoteDevice, _ status: DeviceStatus, for user: RemoteUser
  ) async throws(AgentError) -> AgentCalls.Outcome {
    var failure: AgentError?
    var changed = false
    do throws(AgentError) {
      changed = try await attachments.up(device, as: user)
    } catch {
      failure = error
    }
    let isNew = try await kept.keep(device, for: user)
    if var failure {
      failure.message += "; it is kept, and tried again"
      failure.hint = "devconfig list shows when; devconfig down \(status.id) lets go of it"
      throw failure
    }
    return AgentCalls.Outcome(
      device: await catalogue.status(device.key) ?? status, changed: changed || isNew)
  }

  private func down(
    _ parameters: AgentCalls.DownParameters
  ) async throws(AgentError) -> AgentCalls.Outcome {
    switch try await catalogue.find(parameters.device) {
    case .local(let status):
      return AgentCalls.Outcome(device: try mine(status), changed: false)
    case .remote(let status, let device):
      // A kept device and what stands in for it go together.
      let keys = await kept.group(of: device.key)
      var uses: [LocalUse] = []
      for key in keys { uses += await catalogue.uses(ofAttached: key) }
      let storage = StorageSafety(name: status.name, id: status.id)
      let notes = try await storage.release(uses, force: parameters.force == true)
      var changed = try await kept.release(device.key)
      for key in keys { changed = try await attachments.down(key) || changed }
      return AgentCalls.Outcome(
        device: await catalogue.status(device.key) ?? status, changed: changed,
        notes: notes.isEmpty ? nil : notes)
    }
  }

  private func takeBack(
    _ parameters: AgentCalls.TakeBackParameters
  ) async throws(AgentError) -> AgentCalls.Outcome {
    guard case .local(let status) = try await catalogue.find(parameters.device),
      status.isImported != true
    else {
      throw AgentError(
        .failed, "\(parameters.device) is plugged into another machine",
        hint: "type it there; devconfig list shows which one it is")
    }
    guard status.remoteState == .inUse else {
      return AgentCalls.Outcome(device: status, changed: false)
    }
    let notes = try await taking.take(status, force: parameters.force == true)
    let now = await catalogue.list().first { $0.id == status.id } ?? status
    return AgentCalls.Outcome(device: now, changed: true, notes: notes.isEmpty ? nil : notes)
  }

  private func checkRoot(_ peer: PeerCredentials, _ act: String) throws(AgentError) {
    guard peer.uid != 0 else { return }
    throw AgentError(.notPermitted, "only root may \(act)", hint: "type it as root")
  }

  private func checkRight(_ peer: PeerCredentials) async throws(AgentError) {
    if peer.uid == 0 { return }
    if let group = UserDatabase.groupID(named: Product.group), peer.isMember(of: group) { return }
    let user = await peer.userName()
    throw AgentError(
      .notPermitted, "\(user) is not in the group \(Product.group)",
      hint: "an administrator types: adduser \(user) \(Product.group), then log in again")
  }

  private func encode(_ results: some Codable & Sendable) throws(AgentError) -> LocalReply {
    LocalReply(bytes: try Message.encode(Reply(results)))
  }

  private func encode(_ error: AgentError) -> LocalReply {
    LocalReply(
      bytes: (try? Message.encode(ErrorReply(error, interface: AgentCalls.interface))) ?? [0])
  }
}
