// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI
internal import ArgumentParser

/// `devconfig share`: write a rule that lets others have a device of this machine.
struct ShareVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "share", abstract: "Let others have a device of this machine.",
    discussion: """
      Puts a rule before all others of devconfig.yaml(5): for everybody, or for these users and hosts \
      only. Needs root.
      """)

  @Option(help: "Only this user; may be given several times.")
  var user: [String] = []

  @Option(help: "Only people on this host; may be given several times.")
  var host: [String] = []

  @Flag(help: "Print JSON for programs (schema \(Schema.share)).")
  var json = false

  @Argument(help: "ID, name, HOST/NAME, VID:PID, serial number or BUSID@HOST.")
  var device: String

  func run() throws {
    try Verb.run(json: json) { (client, console) throws(AgentError) in try share(&client, &console)
    }
  }

  /// The verb itself.
  func share(_ client: inout any AgentClient, _ console: inout any Console) throws(AgentError) {
    let result = try RuleChange.make(for: device, &client) {
      DeviceRule(sharing: $0, users: user, hosts: host)
    }
    if json {
      console.data(try result.json(Schema.share))
      return
    }
    let after = result.device
    if after.remoteState == .denied {
      console.talk("\(after.name) is not shared yet: \(after.reason ?? "denied")")
    }
  }
}
