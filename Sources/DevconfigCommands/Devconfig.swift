// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI
public import ArgumentParser

/// The command line: `devconfig list`, `devconfig up 3`, `devconfig down 3`.
public struct Devconfig: ParsableCommand {
  /// Name, summary and verbs.
  public static let configuration = CommandConfiguration(
    commandName: "devconfig",
    abstract: "Use the USB devices of the other machines in the office.",
    discussion: """
      Devices plugged into any machine that runs devconfigd are listed here. A device is named by \
      its ID, its name, HOST/NAME, VID:PID, its serial number or BUSID@HOST.
      """,
    version: "devconfig \(Product.version)",
    subcommands: [
      ListVerb.self, WatchVerb.self, UpVerb.self, DownVerb.self, WaitVerb.self, NameVerb.self,
      ShareVerb.self,
      UnshareVerb.self, StatusVerb.self, CaptureVerb.self, DoctorVerb.self, SleepVerb.self,
      WakeVerb.self,
    ])

  /// Runs the verb of this process's command line; ends the process where that fails.
  public static func start() {
    let verbs = configuration.subcommands.compactMap { $0.configuration.commandName }
    let arguments = Array(CommandLine.arguments.dropFirst())
    if let complaint = UnknownVerb.complaint(about: arguments, verbs: verbs) {
      exit(withError: ValidationError(complaint))
    }
    main()
  }

  /// Needed by the parser.
  public init() {}
}
