// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI
internal import ArgumentParser

/// `devconfig list`: what there is and who has it.
struct ListVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List all devices, their states and who has them.")

  @Flag(name: .shortAndLong, help: "Print a block with all states for each device.")
  var long = false

  @Flag(help: "Print JSON for programs (schema \(Schema.list)).")
  var json = false

  @Argument(help: "Only this device.")
  var device: String?

  func validate() throws {
    guard !(long && json) else { throw ValidationError("--long and --json exclude each other") }
  }

  func run() throws {
    try Verb.run(json: json) { (client, console) throws(AgentError) in try list(&client, &console) }
  }

  /// The verb itself.
  func list(
    _ client: inout any AgentClient, _ console: inout any Console
  ) throws(AgentError) {
    var devices = try client.list()
    if let device { devices = [try Selector.find(device, in: devices)] }
    if json {
      console.data(try DeviceJSON.text(devices))
    } else if long {
      for device in devices { console.data(DeviceBlock.text(device)) }
    } else {
      for line in DeviceTable.lines(devices) { console.data(line) }
    }
    if devices.isEmpty && !json {
      console.talk("no devices: none is plugged in here and no other machine announces any")
    }
  }
}
