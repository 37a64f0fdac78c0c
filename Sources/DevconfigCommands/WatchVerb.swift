// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI
internal import ArgumentParser
internal import Glibc
internal import LinuxHost

/// `devconfig watch`: the list as it changes.
struct WatchVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "watch", abstract: "Show the list of devices as it changes.",
    discussion: """
      On a terminal the table, which stays in its place; into a pipe or a file one line of JSON for each \
      change, as list --json prints it. Ends with Ctrl-C.
      """)

  /// Milliseconds between two looks.
  private static let interval: Int32 = 1000
  /// To the upper left corner, and everything from there on away (ECMA-48, CUP and ED).
  private static let clear = "\u{1B}[H\u{1B}[J"

  @Flag(help: "Print JSON on a terminal too (schema \(Schema.list)).")
  var json = false

  func run() throws {
    try Verb.run(json: json) { (client, console) throws(AgentError) in
      let signal = try Verb.termination()
      try watch(
        &client, &console, asTable: !json && isatty(STDOUT_FILENO) == 1, until: signal.rawValue
      ) { () throws(AgentAbsence) in try SocketAgentClient(path: Verb.socketPath) }
    }
  }

  /// The verb itself, ended by `termination` becoming readable; `connect` is for an agent that went away.
  func watch(
    _ client: inout any AgentClient, _ console: inout any Console, asTable: Bool,
    until termination: Int32, every milliseconds: Int32 = WatchVerb.interval,
    connect: () throws(AgentAbsence) -> any AgentClient
  ) throws(AgentError) {
    var shown: [DeviceStatus]?
    var isAway = false
    do throws(HostError) {
      let events = try Epoll()
      try events.add(termination, for: [.input], token: 0)
      repeat {
        do throws(AgentError) {
          let devices = try client.list()
          isAway = false
          // A program is not told of each second that passes until the next try.
          let seen = asTable ? devices : devices.map(\.withoutCountdown)
          guard seen != shown else { continue }
          try show(devices, &console, asTable: asTable)
          shown = seen
        } catch {
          if !isAway { tellOfAbsence(error, &console) }
          isAway = true
          shown = nil
          // One that is not there yet is tried again at the next look.
          if let again = try? connect() { client = again }
        }
      } while try events.wait(milliseconds: milliseconds) == 0
    } catch {
      throw AgentError(.failed, "changes cannot be waited for (\(error))")
    }
  }

  private func tellOfAbsence(_ error: AgentError, _ console: inout any Console) {
    let message = "the agent is away, waiting for it"
    guard json else {
      console.talk(message)
      return
    }
    Verb.say(AgentAbsence(message: message, hint: error.message), &console, json: true)
  }

  private func show(
    _ devices: [DeviceStatus], _ console: inout any Console, asTable: Bool
  ) throws(AgentError) {
    guard asTable else {
      console.data(try DeviceJSON.text(devices))
      return
    }
    let lines = DeviceTable.lines(devices)
    console.data(
      WatchVerb.clear + (lines.isEmpty ? "no devices" : lines.joined(separator: "\n")))
  }
}

extension DeviceStatus {
  /// The same without how long it takes until a kept device is tried again.
  fileprivate var withoutCountdown: DeviceStatus {
    guard localState == .retrying else { return self }
    var status = self
    status.nextTry = nil
    status.reason = nil
    return status
  }
}
