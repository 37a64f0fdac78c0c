// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI
internal import ArgumentParser

/// `devconfig wake`: take up what `devconfig sleep` gave back; for devconfig-sleep.service.
struct WakeVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "wake",
    abstract: "Share again, and attach what is kept, after this machine slept.",
    shouldDisplay: false)

  func run() throws {
    try Verb.run(json: false) { (client, _) throws(AgentError) in try client.wake() }
  }
}
