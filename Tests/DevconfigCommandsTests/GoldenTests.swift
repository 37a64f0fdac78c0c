// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import ArgumentParser
import Glibc
import LinuxHost
import SystemPackage
import TestSupport
import Testing
import USBCapture

@testable import DevconfigCommands

/// What programs read, byte for byte as the files in `Golden` have it, and the same members of the same types as
/// `Golden/members` has for each schema and version.
///
/// With DEVCONFIG_GOLDEN=write in the environment the files are written anew; `members` is changed by hand: a
/// line that is added is an addition, one that goes or changes wants another version in `Schema`, and its lines.
@Suite(.timeLimit(.minutes(1))) struct GoldenTests {
  static let directory: FilePath = {
    var path = FilePath(#filePath)
    path.removeLastComponent()
    return path.appending("Golden")
  }()

  /// Each document by the name of its file.
  static func documents() throws -> [(name: String, text: String)] {
    let device = GoldenSamples.device
    let client = FakeAgentClient([device])
    client.outcome = AgentCalls.Outcome(
      device: device, changed: true, notes: ["/mnt: everything is written"])
    client.reports = GoldenSamples.status.devices
    client.mistake = GoldenSamples.status.mistake
    client.controllers = GoldenSamples.status.controllers
    func verb(_ arguments: String...) throws -> String {
      let run = try Run(arguments + ["--json"], client)
      #expect(run.code == .success)
      #expect(run.console.talk.isEmpty)
      return run.console.data.joined(separator: "\n")
    }
    let tree = try SysfsTree()
    let local = FakeAgentClient([DeviceSamples.mountedStatus])
    local.configuration = tree.root.appending("devconfig.yaml").string
    func rule(_ arguments: String...) throws -> String {
      try Run(arguments + ["--json"], local).console.data.joined(separator: "\n")
    }
    return [
      ("list", try verb("list")), ("status", try verb("status")), ("up", try verb("up", "3")),
      ("down", try verb("down", "3")), ("name", try verb("name", "3", "Brenner")),
      ("share", try rule("share", "12", "--user", "taka")), ("unshare", try rule("unshare", "12")),
      (
        "wait", try JSONLine.text(OutcomeJSON(schema: Schema.wait, device: device))
      ),
      ("capture", try JSONLine.text(CaptureJSON(file: "a.pcapng", tally()))),
      ("doctor", try DoctorJSON.text(GoldenSamples.findings)),
      ("error", try JSONLine.text(ErrorJSON(GoldenSamples.error))),
    ]
  }

  /// One packet, and three that were dropped.
  static func tally() -> CaptureTally {
    var tally = CaptureTally()
    for block in [CaptureVerbTests.packet, CaptureVerbTests.closing] {
      block.withUnsafeBytes { tally.take($0) }
    }
    return tally
  }

  @Test func everyDocumentIsAsItsFileHasIt() throws {
    for (name, text) in try Self.documents() {
      let path = Self.directory.appending("\(name).json")
      if getenv("DEVCONFIG_GOLDEN").map({ String(cString: $0) }) == "write" {
        let file = try FileDescriptor.open(
          path, .writeOnly, options: [.create, .truncate],
          permissions: [.ownerReadWrite, .groupRead, .otherRead])
        try file.closeAfter { _ = try file.writeAll("\(text)\n".utf8) }
      }
      #expect(try Self.content(path) == text + "\n", "devconfig \(name) --json")
    }
  }

  @Test func noMemberComesGoesOrChangesUnseen() throws {
    let wanted = try Self.content(Self.directory.appending("members"))
    let seen = try Self.documents().flatMap { try JSONShape.lines(of: $0.text) }
    #expect(
      seen.sorted()
        == wanted.split(separator: "\n").filter { !$0.hasPrefix("#") }.map(String.init).sorted(),
      "a member that goes or changes needs another version of its schema; see the top of this suite"
    )
  }

  /// A member the samples leave out would be one that nobody sees coming.
  @Test func theSamplesHaveEveryMember() {
    let samples: [(String, Any)] = [
      ("device", GoldenSamples.device), ("status", GoldenSamples.status),
      ("findings", GoldenSamples.findings[1]), ("error", ErrorJSON(GoldenSamples.error)),
      ("capture", CaptureJSON(file: "a", Self.tally())),
      (
        "outcome",
        OutcomeJSON(
          schema: "", device: GoldenSamples.device, changed: true, notes: [""], rules: [""])
      ),
    ]
    for (name, sample) in samples { Self.expectNothingLeftOut(sample, name) }
  }

  private static func expectNothingLeftOut(_ value: Any, _ path: String) {
    let mirror = Mirror(reflecting: value)
    if mirror.displayStyle == .optional {
      #expect(!mirror.children.isEmpty, "\(path) is left out of the samples")
    }
    for (index, child) in mirror.children.enumerated() {
      expectNothingLeftOut(child.value, "\(path).\(child.label ?? "\(index)")")
    }
  }

  @Test(arguments: AgentError.Kind.allCases)
  func everyErrorIsOneLineOfJSONOnStandardError(kind: AgentError.Kind) throws {
    let client = FakeAgentClient(failure: AgentError(kind, "what", hint: "next"))
    for verb in [["list"], ["up", "1"], ["down", "1"], ["name", "1", "x"], ["status"]] {
      let run = try Run(verb + ["--json"], client)
      #expect(run.code == kind.exitCode)
      #expect(run.console.data.isEmpty)
      #expect(
        run.console.talk == [
          #"{"error":{"exit_status":\#(kind.exitCode.rawValue),"hint":"next","#
            + #""kind":"\#(kind.rawValue)","message":"what"},"schema":"devconfig-error/1"}"#
        ])
    }
  }

  @Test func whatPeopleAreToldIsNotSaidToPrograms() throws {
    let client = FakeAgentClient([DeviceSamples.opticalStatus])
    for arguments in [["up", "3"], ["down", "3"], ["down", "3"], ["name", "3", "x"]] {
      let run = try Run(arguments + ["--json"], client)
      #expect(run.console.talk.isEmpty)
      #expect(run.console.data.count == 1)
    }
    #expect(try Run(["down", "3", "--json"], client).console.data[0].contains(#""changed":false"#))
  }

  /// `sleep` and `wake` are for a unit of systemd and print nothing.
  @Test func everyVerbHasIt() {
    for verb in Devconfig.configuration.subcommands
    where verb != SleepVerb.self && verb != WakeVerb.self {
      #expect(Devconfig.helpMessage(for: verb).contains("--json"), "\(verb)")
    }
  }

  @Test func aCaptureToStandardOutputHasNoRoomForJSON() {
    #expect(throws: (any Error).self) {
      try Devconfig.parseAsRoot(["capture", "--json", "3", "-"])
    }
  }

  private static func content(_ path: FilePath) throws -> String {
    let file = try FileDescriptor.open(path, .readOnly)
    return try file.closeAfter {
      var bytes = [UInt8](repeating: 0, count: 1 << 20)
      let count = try bytes.withUnsafeMutableBytes { try file.read(into: $0) }
      return String(decoding: bytes.prefix(count), as: UTF8.self)
    }
  }
}
