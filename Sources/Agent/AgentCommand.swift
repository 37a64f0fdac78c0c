// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI
public import ArgumentParser
internal import Attaching
internal import Glibc
internal import LinuxHost
internal import Logging
internal import ServiceLifecycle
internal import SystemPackage
internal import Systemd
internal import UnixSignals

/// The command line of `devconfigd`.
public struct AgentCommand: AsyncParsableCommand {
  /// Name and summary.
  public static let configuration = CommandConfiguration(
    commandName: "devconfigd",
    abstract: "Share this machine's USB devices and attach those of others.",
    version: "devconfigd \(Product.version)")

  @Flag(help: "Undo what an agent that died left in the kernel, then exit.")
  var cleanup = false

  @Option(help: "The configuration file.")
  var config = "/etc/devconfig/devconfig.yaml"

  @Option(help: "Where the socket and the undo record are.")
  var runtimeDirectory = "/run/devconfig"

  @Option(help: "Where device numbers are kept.")
  var stateDirectory = "/var/lib/devconfig"

  @Option(help: "The program each network connection gets.")
  var session = "/usr/libexec/devconfig/devconfig-session"

  @Option(
    help: ArgumentHelp(
      "The sequence numbers of vhci_hcd after which an empty controller is made anew.",
      valueName: "numbers"))
  var renewAfter = SequenceBudget.defaultRenewal

  @Option(help: ArgumentHelp("The kernel's view of devices, for tests.", visibility: .hidden))
  var sysfs = "/sys"

  @Option(help: ArgumentHelp("The kernel's view of processes, for tests.", visibility: .hidden))
  var procfs = "/proc"

  @Option(help: ArgumentHelp("Device nodes, for tests.", visibility: .hidden))
  var devfs = "/dev"

  @Option(help: "The least important messages to log: debug, info, notice, warning, error.")
  var logLevel = "info"

  /// Needed by the parser.
  public init() {}

  /// Checks the numbers.
  public func validate() throws {
    guard (1..<SequenceBudget.limit).contains(renewAfter) else {
      throw ValidationError("--renew-after is 1 to \(SequenceBudget.limit - 1)")
    }
  }

  /// Runs the agent until SIGTERM or SIGINT.
  public func run() async throws {
    let log = Log.make(level: logLevel)
    var places = Places()
    places.configuration = FilePath(config)
    places.runtime = FilePath(runtimeDirectory)
    places.state = FilePath(stateDirectory)
    places.session = FilePath(session)
    places.sysfs = FilePath(sysfs)
    places.procfs = FilePath(procfs)
    places.devfs = FilePath(devfs)
    do {
      if cleanup {
        await Cleanup(places: places, undo: UndoFile(path: places.undo), log: log).run()
        return
      }
      let inherited = InheritedDescriptors()
      let service = AgentService(
        places: places, configuration: try Configuration.read(places.configuration),
        identity: try AgentIdentity(places: places),
        confinement: try await BlockingWork.run("confinement") { [places] in
          try SessionConfinement(places: places)
        }, inherited: inherited, renewal: renewAfter, log: log)
      try await ServiceGroup(
        services: [service], gracefulShutdownSignals: [.sigterm, .sigint], logger: log
      ).run()
    } catch let error as StartError {
      log.critical("the agent cannot start", metadata: ["reason": "\(error.reason)"])
      throw ArgumentParser.ExitCode(error.status)
    } catch let error as HostError {
      log.critical("the agent cannot start", metadata: ["reason": "\(error)"])
      throw ArgumentParser.ExitCode(1)
    }
  }
}

/// A reason not to start that an administrator can mend.
struct StartError: Error {
  /// Wrong configuration (sysexits.h, EX_CONFIG).
  static let configuration: Int32 = 78

  /// The exit status.
  var status: Int32
  /// In words.
  var reason: String
}
