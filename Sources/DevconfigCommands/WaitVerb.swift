// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI
internal import ArgumentParser
internal import LinuxHost

/// `devconfig wait`: return when a device can be used on this machine.
struct WaitVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "wait", abstract: "Wait until a device is attached; for services that need it.",
    discussion: """
      Attaches nothing: that is for up --keep. devconfig-device@DEVICE.service waits in this way.
      """)

  /// Milliseconds between two looks.
  private static let interval: Int32 = 500

  @Option(help: "Give up after so many seconds; without it wait for ever.")
  var timeout: Int?

  @Flag(help: "Print JSON for programs (schema \(Schema.wait)).")
  var json = false

  @Argument(help: "ID, name, HOST/NAME, VID:PID, serial number or BUSID@HOST.")
  var device: String

  func validate() throws {
    if let timeout, !(0...86_400).contains(timeout) {
      throw ValidationError("--timeout is 0 to 86400 seconds")
    }
  }

  func run() throws {
    var console: any Console = StandardConsole()
    let code = try wait(&console) { () throws(AgentAbsence) in
      try SocketAgentClient(path: Verb.socketPath)
    }
    guard code == .success else { throw ArgumentParser.ExitCode(code.rawValue) }
  }

  /// The verb itself; an agent that is not there yet is waited for too.
  func wait(
    _ console: inout any Console, every milliseconds: Int32 = WaitVerb.interval,
    connect: () throws(AgentAbsence) -> any AgentClient
  ) throws -> AgentAPI.ExitCode {
    let signal = try Verb.termination()
    let events = try Epoll()
    try events.add(signal.rawValue, for: [.input], token: 0)
    let limit = timeout.map { ContinuousClock.now + .seconds($0) }
    var client: (any AgentClient)?
    var reason = "there is no such device yet"
    while true {
      do {
        if client == nil { client = try connect() }
        let found = try Selector.find(device, in: try client?.list() ?? [])
        if found.localState == .attached || found.isLocal {
          console.data(
            json
              ? try JSONLine.text(OutcomeJSON(schema: Schema.wait, device: found))
              : UpVerb.line(found))
          return .success
        }
        reason = found.reason ?? "it is \(found.localState.rawValue)"
      } catch let error as AgentError {
        reason = error.message
        if error.kind == .ambiguousDevice {
          Verb.say(error, &console, json: json)
          return .ambiguousDevice
        }
        if error.kind != .unknownDevice { client = nil }
      } catch {
        reason = "the agent is not there yet"
      }
      if let limit, ContinuousClock.now >= limit {
        let error = AgentError(.timedOut, "\(device) was not there in time: \(reason)")
        Verb.say(error, &console, json: json)
        return error.kind.exitCode
      }
      guard try events.wait(milliseconds: milliseconds) == 0 else { return .failure }
    }
  }
}
