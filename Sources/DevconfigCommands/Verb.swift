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
  static func run(
    _ body: (inout any AgentClient, inout any Console) throws(AgentError) -> Void
  ) throws {
    var console: any Console = StandardConsole()
    let code: AgentAPI.ExitCode
    do throws(AgentAbsence) {
      var client: any AgentClient = try SocketAgentClient(path: socketPath)
      code = report(&client, &console, body)
    } catch {
      say(error.message, error.hint, &console)
      code = error.exitCode
    }
    guard code == .success else { throw ArgumentParser.ExitCode(code.rawValue) }
  }

  /// Runs `body`; an error becomes talk, its kind the exit code.
  static func report(
    _ client: inout any AgentClient, _ console: inout any Console,
    _ body: (inout any AgentClient, inout any Console) throws(AgentError) -> Void
  ) -> AgentAPI.ExitCode {
    do throws(AgentError) {
      try body(&client, &console)
      return .success
    } catch {
      say(error.message, error.hint, &console)
      for line in DeviceTable.lines(error.candidates) { console.talk("  " + line) }
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

  private static func say(_ message: String, _ hint: String, _ console: inout any Console) {
    console.talk("devconfig: \(message)" + (hint.isEmpty ? "" : "\n  " + hint))
  }
}
