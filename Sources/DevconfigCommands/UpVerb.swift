// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI
internal import ArgumentParser

/// `devconfig up`: attach a device and print where it is.
struct UpVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "up", abstract: "Attach a device; returns when it is usable.")

  @Flag(
    help: "Attach it again whenever it is lost, also after a reboot, until it is let go with down.")
  var keep = false

  @Flag(help: "Print JSON for programs (schema \(Schema.up)).")
  var json = false

  @Argument(help: "ID, name, HOST/NAME, VID:PID, serial number or BUSID@HOST.")
  var device: String

  func run() throws {
    try Verb.run(json: json) { (client, console) throws(AgentError) in try up(&client, &console) }
  }

  /// The verb itself.
  func up(_ client: inout any AgentClient, _ console: inout any Console) throws(AgentError) {
    let outcome = try client.up(device, keep: keep)
    if json {
      console.data(try OutcomeJSON.text(Schema.up, outcome))
      return
    }
    let status = outcome.device
    if status.isLocal {
      console.talk("\(status.name) is plugged into this machine: it can be used as it is")
      return
    }
    if !outcome.changed {
      console.talk("\(status.name) is up\(keep ? " and kept" : "") already")
    } else if keep {
      console.talk("kept: attached again whenever it is lost, until devconfig down \(status.id)")
    }
    console.data(UpVerb.line(status))
  }

  /// Where a device is: `2: Logitech M4848 on gamma: attached, /dev/input/event5`.
  static func line(_ status: DeviceStatus) -> String {
    let places = [["attached"], status.nodes].joined().joined(separator: ", ")
    return "\(status.id): \(status.name) on \(status.host): \(places)"
  }
}
