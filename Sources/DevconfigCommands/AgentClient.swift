// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI
internal import LinuxHost
internal import SystemPackage

/// The agent as the verbs see it.
protocol AgentClient {
  /// All devices.
  mutating func list() throws(AgentError) -> [DeviceStatus]
  /// Attaches, and with `keep` again whenever it is lost.
  mutating func up(_ device: String, keep: Bool) throws(AgentError) -> AgentCalls.Outcome
  /// Detaches; with `force` also a disk with a mounted file system.
  mutating func down(_ device: String, force: Bool) throws(AgentError) -> AgentCalls.Outcome
  /// Gives a device a name, or takes it back with `nil`.
  mutating func name(_ device: String, _ name: String?) throws(AgentError) -> AgentCalls.Outcome
  /// Takes a device of this machine back from its user; with `force` in any case.
  mutating func takeBack(_ device: String, force: Bool) throws(AgentError) -> AgentCalls.Outcome
  /// Who the agent is.
  mutating func about() throws(AgentError) -> AgentCalls.AboutResults
  /// Has the agent read its rules again; the result is what is wrong with them.
  mutating func reload() throws(AgentError) -> String?
  /// Has the agent give everything back before the machine sleeps; the result is what is left.
  mutating func sleep() throws(AgentError) -> [String]
  /// Tells the agent that the machine is awake again.
  mutating func wake() throws(AgentError)
  /// What one device does, or all.
  mutating func status(_ device: String?) throws(AgentError) -> AgentCalls.StatusResults
  /// Starts a capture; the result gives one block of a pcapng file with each packet.
  mutating func capture(
    _ device: String, snapLength: Int
  ) throws(AgentError) -> SharedDescriptor
}

/// A failure to reach the agent at all.
struct AgentAbsence: Error {
  /// What happened.
  var message: String
  /// The next thing to type.
  var hint: String
  /// How the program ends.
  var exitCode = ExitCode.noAgent

  /// Its kind in JSON.
  var kind: String {
    exitCode == .notPermitted ? AgentError.Kind.notPermitted.rawValue : "NoAgent"
  }
}

/// The agent behind its local socket.
struct SocketAgentClient: AgentClient {
  private var client: LocalClient
  private var framer = MessageFramer()

  /// How long an answer may take: attaching waits for drivers, so this is generous.
  static let answerDeadline = 120_000

  /// Connects; throws `AgentAbsence` when nobody listens at `path`.
  init(path: String) throws(AgentAbsence) {
    do throws(HostError) {
      client = try LocalClient.connect(to: FilePath(path))
    } catch  where error.code == .permissionDenied {
      throw AgentAbsence(
        message: "\(path) cannot be reached (\(error.code))",
        hint: "namei -l \(path) shows which folder is closed; then: systemctl restart devconfigd",
        exitCode: .notPermitted)
    } catch {
      throw AgentAbsence(
        message: "the agent devconfigd does not run on this machine (\(path): \(error.code))",
        hint: "start it with: systemctl start devconfigd")
    }
  }

  mutating func list() throws(AgentError) -> [DeviceStatus] {
    try call(AgentCalls.list, Nothing(), AgentCalls.ListResults.self).devices
  }

  mutating func up(_ device: String, keep: Bool) throws(AgentError) -> AgentCalls.Outcome {
    let parameters = AgentCalls.UpParameters(device: device, keep: keep ? true : nil)
    return try call(AgentCalls.up, parameters, AgentCalls.Outcome.self)
  }

  mutating func down(_ device: String, force: Bool) throws(AgentError) -> AgentCalls.Outcome {
    let parameters = AgentCalls.DownParameters(device: device, force: force ? true : nil)
    return try call(AgentCalls.down, parameters, AgentCalls.Outcome.self)
  }

  mutating func name(
    _ device: String, _ name: String?
  ) throws(AgentError) -> AgentCalls.Outcome {
    let parameters = AgentCalls.NameParameters(device: device, name: name)
    return try call(AgentCalls.name, parameters, AgentCalls.Outcome.self)
  }

  mutating func takeBack(
    _ device: String, force: Bool
  ) throws(AgentError) -> AgentCalls.Outcome {
    let parameters = AgentCalls.TakeBackParameters(device: device, force: force ? true : nil)
    return try call(AgentCalls.takeBack, parameters, AgentCalls.Outcome.self)
  }

  mutating func about() throws(AgentError) -> AgentCalls.AboutResults {
    try call(AgentCalls.about, Nothing(), AgentCalls.AboutResults.self)
  }

  mutating func reload() throws(AgentError) -> String? {
    try call(AgentCalls.reload, Nothing(), AgentCalls.ReloadResults.self).mistake
  }

  mutating func sleep() throws(AgentError) -> [String] {
    try call(AgentCalls.sleep, Nothing(), AgentCalls.SleepResults.self).left
  }

  mutating func wake() throws(AgentError) {
    _ = try call(AgentCalls.wake, Nothing(), Nothing.self)
  }

  mutating func status(_ device: String?) throws(AgentError) -> AgentCalls.StatusResults {
    try call(
      AgentCalls.status, AgentCalls.StatusParameters(device: device), AgentCalls.StatusResults.self
    )
  }

  mutating func capture(
    _ device: String, snapLength: Int
  ) throws(AgentError) -> SharedDescriptor {
    let parameters = AgentCalls.CaptureParameters(device: device, snapLength: snapLength)
    _ = try call(AgentCalls.capture, parameters, Nothing.self)
    guard let descriptor = client.takeDescriptor() else {
      throw AgentError(.protocolMismatch, "the agent's answer has no descriptor")
    }
    return descriptor
  }

  private mutating func call<Parameters: Codable & Sendable, Results: Codable & Sendable>(
    _ method: String, _ parameters: Parameters, _ results: Results.Type
  ) throws(AgentError) -> Results {
    let request = try Message.encode(Call(method, parameters))
    do {
      try client.send(request)
      while true {
        if let message = try framer.next() {
          return try Message.decodeReply(results, from: message).parameters
        }
        guard let bytes = try client.receive(deadline: SocketAgentClient.answerDeadline) else {
          throw AgentError(
            .failed, "the agent closed the connection", hint: "journalctl -u devconfigd says why")
        }
        try framer.append(bytes)
      }
    } catch let error as AgentError {
      throw error
    } catch {
      throw AgentError(
        .failed, "the agent does not answer", hint: "journalctl -u devconfigd says why")
    }
  }
}
