// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI
internal import ArgumentParser
internal import LinuxHost
internal import SystemPackage
internal import USBCapture

/// `devconfig capture`: write what goes between a device and its user to a file.
struct CaptureVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "capture",
    abstract: "Record what goes between a device of this machine and its user, for Wireshark.",
    discussion: "Ends with Ctrl-C, or when the device is not used any more.")

  @Option(
    name: .customLong("snap-length"),
    help: "The most bytes of data kept of one transfer, \(AgentCalls.maximumSnapLength) at most.")
  var snapLength = AgentCalls.defaultSnapLength

  @Flag(help: "Print JSON for programs (schema \(Schema.capture)).")
  var json = false

  @Argument(help: "ID, name, HOST/NAME, VID:PID, serial number or BUSID@HOST.")
  var device: String

  @Argument(help: "The pcapng file to write; - for standard output.", completion: .file())
  var file: String

  func validate() throws {
    guard (0...AgentCalls.maximumSnapLength).contains(snapLength) else {
      throw ValidationError("--snap-length is 0 to \(AgentCalls.maximumSnapLength)")
    }
    guard !json || file != "-" else {
      throw ValidationError("--json needs standard output for itself: name a file")
    }
  }

  func run() throws {
    try Verb.run(json: json) { (client, console) throws(AgentError) in
      let signal = try Verb.termination()
      try capture(&client, &console, until: signal.rawValue)
    }
  }

  /// The verb itself, ended by `termination` becoming readable.
  func capture(
    _ client: inout any AgentClient, _ console: inout any Console, until termination: Int32
  ) throws(AgentError) {
    // Asked first: where it is refused, no file is touched.
    let source = try client.capture(device, snapLength: snapLength)
    let target = try CaptureTarget(file)
    if !target.isStandardOutput && !json {
      console.talk("writing to \(file); Ctrl-C ends it")
    }
    let tally = try target.copy(source, until: termination)
    if json {
      console.data(try JSONLine.text(CaptureJSON(file: file, tally)))
      return
    }
    let dropped = tally.dropped.map { "\($0) dropped" } ?? "those dropped are not known"
    console.talk("\(tally.packets) packets, \(dropped)")
  }
}
