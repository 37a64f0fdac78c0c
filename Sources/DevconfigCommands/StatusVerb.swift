// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI
internal import ArgumentParser

/// `devconfig status`: what devices in use do.
struct StatusVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "Show what goes through a device, and what waits.",
    discussion: """
      Without DEVICE: a line for each device of this machine and each that is attached to it.
      """)

  @Flag(help: "Print JSON for programs (schema \(Schema.status)).")
  var json = false

  @Argument(help: "Only this device, with each of its endpoints.")
  var device: String?

  func run() throws {
    try Verb.run(json: json) { (client, console) throws(AgentError) in try status(&client, &console)
    }
  }

  /// The verb itself.
  func status(
    _ client: inout any AgentClient, _ console: inout any Console
  ) throws(AgentError) {
    let results = try client.status(device)
    let reports = results.devices
    if json {
      console.data(try StatusJSON.text(results))
    } else if device == nil {
      for line in StatusTable.lines(reports) { console.data(line) }
    } else {
      for report in reports {
        for line in StatusBlock.lines(report) { console.data(line) }
      }
    }
    if let mistake = results.mistake, !json {
      console.talk("the rules of before are in force: \(mistake)")
      console.talk("  mend that, then: systemctl reload devconfigd")
    }
    if reports.isEmpty && !json {
      console.talk("no devices: none is plugged in here and none is attached")
    }
  }
}
