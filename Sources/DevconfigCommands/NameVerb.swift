// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI
internal import ArgumentParser

/// `devconfig name`: give a device a name.
struct NameVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "name", abstract: "Give a device a name that every verb takes.",
    discussion: """
      A device that is plugged into this machine is called so on all machines, any other one on this \
      machine alone.
      """)

  @Flag(name: .long, help: "Take the given name back.")
  var remove = false

  @Flag(help: "Print JSON for programs (schema \(Schema.name)).")
  var json = false

  @Argument(help: "ID, name, HOST/NAME, VID:PID, serial number or BUSID@HOST.")
  var device: String

  @Argument(help: "The name: up to \(GivenName.maximumLength) bytes, without / and @.")
  var name: String?

  func validate() throws {
    guard remove == (name == nil) else {
      throw ValidationError(remove ? "--remove needs no name." : "A name is missing.")
    }
  }

  func run() throws {
    try Verb.run(json: json) { (client, console) throws(AgentError) in try give(&client, &console) }
  }

  /// The verb itself.
  func give(_ client: inout any AgentClient, _ console: inout any Console) throws(AgentError) {
    let outcome = try client.name(device, name)
    if json {
      console.data(try OutcomeJSON.text(Schema.name, outcome))
      return
    }
    guard !outcome.changed else { return }
    console.talk(
      name == nil
        ? "\(outcome.device.name) has no given name" : "\(outcome.device.name) is its name already")
  }
}
