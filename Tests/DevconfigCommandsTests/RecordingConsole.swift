// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import ArgumentParser
import LinuxHost

@testable import DevconfigCommands

/// Keeps what would go to standard output and standard error.
struct RecordingConsole: Console {
  /// The lines of standard output.
  var data: [String] = []
  /// The lines of standard error.
  var talk: [String] = []

  mutating func data(_ line: String) { data += line.split(separator: "\n").map(String.init) }
  mutating func talk(_ line: String) { talk += line.split(separator: "\n").map(String.init) }
}

/// One run of `devconfig` against a fake agent.
struct Run {
  var console = RecordingConsole()
  var code: AgentAPI.ExitCode

  /// Parses `arguments` and runs the verb; throws what the parser throws.
  ///
  /// A capture ends with its source, or when `termination` becomes readable.
  init(_ arguments: [String], _ client: FakeAgentClient, until termination: Int32? = nil) throws {
    let never = try EventCounter()
    let stop = termination ?? never.rawValue
    let command = try Devconfig.parseAsRoot(arguments)
    var agent: any AgentClient = client
    var output: any Console = RecordingConsole()
    let isForPrograms = arguments.contains("--json")
    code = Verb.report(&agent, &output, json: isForPrograms) {
      (client, console) throws(AgentError) in
      switch command {
      case let verb as ListVerb: try verb.list(&client, &console)
      case let verb as UpVerb: try verb.up(&client, &console)
      case let verb as DownVerb: try verb.down(&client, &console)
      case let verb as NameVerb: try verb.give(&client, &console)
      case let verb as ShareVerb: try verb.share(&client, &console)
      case let verb as UnshareVerb: try verb.unshare(&client, &console)
      case let verb as StatusVerb: try verb.status(&client, &console)
      case let verb as SleepVerb: try verb.sleep(&client, &console)
      case let verb as CaptureVerb: try verb.capture(&client, &console, until: stop)
      default: throw AgentError(.failed, "no verb")
      }
    }
    if let recorded = output as? RecordingConsole { console = recorded }
  }
}
