// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI
internal import ArgumentParser
internal import Glibc
internal import LinuxHost

/// Runs the body of a verb against the agent and turns its errors into talk and an exit code.
enum Verb {
  /// The agent's socket: `DEVCONFIG_SOCKET`, or the standard place.
  static var socketPath: String {
    guard let value = getenv("DEVCONFIG_SOCKET") else { return Product.socketPath }
    return String(cString: value)
  }

  /// Connects, runs `body`, and throws the exit code unless it is success.
  ///
  /// With `json` an error is one line of JSON (`ErrorJSON`).
  static func run(
    json: Bool, _ body: (inout any AgentClient, inout any Console) throws(AgentError) -> Void
  ) throws {
    var console: any Console = StandardConsole()
    let code: AgentAPI.ExitCode
    do throws(AgentAbsence) {
      var client: any AgentClient = try SocketAgentClient(path: socketPath)
      code = report(&client, &console, json: json, body)
    } catch {
      say(error, &console, json: json)
      code = error.exitCode
    }
    guard code == .success else { throw ArgumentParser.ExitCode(code.rawValue) }
  }

  /// Runs `body`; an error becomes talk, its kind the exit code.
  static func report(
    _ client: inout any AgentClient, _ console: inout any Console, json: Bool,
    _ body: (inout any AgentClient, inout any Console) throws(AgentError) -> Void
  ) -> AgentAPI.ExitCode {
    do throws(AgentError) {
      try body(&client, &console)
      return .success
    } catch {
      say(error, &console, json: json)
      return error.kind.exitCode
    }
  }

  /// Ctrl-C and SIGTERM as something to wait for, from here on.
  static func termination() throws(AgentError) -> TerminationSignal {
    do throws(HostError) {
      return try TerminationSignal()
    } catch {
      throw AgentError(.failed, "Ctrl-C cannot be waited for (\(error))")
    }
  }

  /// Tells of an error, for people or for a program.
  static func say(_ error: AgentError, _ console: inout any Console, json: Bool) {
    if json, let line = try? JSONLine.text(ErrorJSON(error)) {
      console.talk(line)
      return
    }
    say(error.message, error.hint, &console)
    for line in DeviceTable.lines(error.candidates) { console.talk("  " + line) }
  }

  /// Tells that there is no agent, for people or for a program.
  static func say(_ absence: AgentAbsence, _ console: inout any Console, json: Bool) {
    if json, let line = try? JSONLine.text(ErrorJSON(absence)) {
      console.talk(line)
      return
    }
    say(absence.message, absence.hint, &console)
  }

  private static func say(_ message: String, _ hint: String, _ console: inout any Console) {
    console.talk("devconfig: \(message)" + (hint.isEmpty ? "" : "\n  " + hint))
  }
}
