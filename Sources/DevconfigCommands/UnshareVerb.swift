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
      it back. Needs root.
      """)

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
    let result = try RuleChange.make(for: device, &client) { DeviceRule(keeping: $0) }
    if json {
      console.data(try result.json(Schema.unshare))
      return
    }
    let after = result.device
    if after.remoteState == .inUse {
      console.talk("\(after.remoteUser) has \(after.name) and keeps it until giving it back")
    }
  }
}
