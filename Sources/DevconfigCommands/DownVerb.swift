// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI
internal import ArgumentParser

/// `devconfig down`: detach a device.
struct DownVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "down", abstract: "Detach a device, so that others can have it.")

  @Flag(
    help: "Detach a disk with a mounted file system too, after writing what is not written yet.")
  var force = false

  @Flag(help: "Print JSON for programs (schema \(Schema.down)).")
  var json = false

  @Argument(help: "ID, name, HOST/NAME, VID:PID, serial number or BUSID@HOST.")
  var device: String

  func run() throws {
    try Verb.run(json: json) { (client, console) throws(AgentError) in try down(&client, &console) }
  }

  /// The verb itself.
  func down(_ client: inout any AgentClient, _ console: inout any Console) throws(AgentError) {
    let outcome = try client.down(device, force: force)
    if json {
      console.data(try OutcomeJSON.text(Schema.down, outcome))
      return
    }
    for note in outcome.notes ?? [] { console.talk(note) }
    if !outcome.changed { console.talk("\(outcome.device.name) is down already") }
  }
}
