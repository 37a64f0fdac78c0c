// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI
internal import ArgumentParser

/// `devconfig sleep`: give everything back before the machine sleeps; for devconfig-sleep.service.
struct SleepVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sleep", abstract: "Give everything back before this machine sleeps.",
    shouldDisplay: false)

  func run() throws {
    try Verb.run(json: false) { (client, console) throws(AgentError) in try sleep(&client, &console)
    }
  }

  /// The verb itself.
  func sleep(_ client: inout any AgentClient, _ console: inout any Console) throws(AgentError) {
    let left = try client.sleep()
    for text in left { console.talk(text) }
    guard left.isEmpty else {
      throw AgentError(
        .failed, "the kernel will not let this machine sleep",
        hint: "journalctl -u devconfigd says why")
    }
  }
}
