// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI
internal import ArgumentParser

/// `devconfig unshare`: write a rule that keeps a device on this machine.
struct UnshareVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "unshare", abstract: "Keep a device of this machine from others.",
    discussion: """
      Puts a rule before all others of devconfig.yaml(5). Whoever has the device keeps it until giving \
      it back, unless it is taken back with --now or --force. Needs root.
      """)

  @Flag(help: "Take it back from whoever has it, unless a disk is mounted there.")
  var now = false

  @Flag(
    help: """
      As --now, for a mounted disk too, after writing what is not written yet, and from a machine that \
      does not answer.
      """)
  var force = false

  @Flag(help: "Print JSON for programs (schema \(Schema.unshare)).")
  var json = false

  @Argument(help: "ID, name, HOST/NAME, VID:PID, serial number or BUSID@HOST.")
  var device: String

  func run() throws {
    try Verb.run(json: json) { (client, console) throws(AgentError) in
      try unshare(&client, &console)
    }
  }

  /// The verb itself.
  func unshare(_ client: inout any AgentClient, _ console: inout any Console) throws(AgentError) {
    var result = try RuleChange.make(for: device, &client) { DeviceRule(keeping: $0) }
    if now || force {
      let outcome = try takeBack(result.device, &client)
      result.device = outcome.device
      result.changed = result.changed || outcome.changed
      result.notes = outcome.notes
    }
    if json {
      console.data(try result.json(Schema.unshare))
      return
    }
    for note in result.notes ?? [] { console.talk(note) }
    let after = result.device
    if after.remoteState == .inUse {
      console.talk("\(after.remoteUser) has \(after.name) and keeps it until giving it back")
      console.talk("  to take it back: devconfig unshare --now \(after.id)")
    }
  }

  private func takeBack(
    _ device: DeviceStatus, _ client: inout any AgentClient
  ) throws(AgentError) -> AgentCalls.Outcome {
    do throws(AgentError) {
      return try client.takeBack("\(device.id)", force: force)
    } catch {
      var told = error
      told.message += "; nobody else gets it from now on"
      throw told
    }
  }
}
