// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import ArgumentParser
import LinuxHost
import SystemPackage
import TestSupport
import Testing
import USBCapture

@testable import DevconfigCommands

/// From the session's socket to a file of the caller.
@Suite(.timeLimit(.minutes(1))) final class CaptureVerbTests {
  let directory: FilePath
  var path: FilePath { directory.appending("capture.pcapng") }

  init() throws { directory = try SysfsTree.temporaryDirectory() }

  deinit { SysfsTree.removeAll(directory) }

  static let opening = CaptureFile.opening(
    application: "a", interface: "b", description: "c", snapLength: 1)
  /// A packet's block in all that the verb looks at.
  static let packet: [UInt8] = [6, 0, 0, 0, 12, 0, 0, 0, 12, 0, 0, 0]
  static let closing = CaptureFile.closing(time: 1, recorded: 2, dropped: 3)

  /// A session that has sent all of `blocks` and, where it `ends`, closed its end.
  func client(
    _ blocks: [[UInt8]], ends: Bool
  ) throws -> (client: FakeAgentClient, writer: SharedDescriptor) {
    let sockets = try CaptureSockets()
    let writer = StreamSocket(try sockets.writer.duplicate())
    for block in blocks { try writer.send(block, before: .now + .seconds(20)) }
    if ends { writer.endSending() }
    let client = FakeAgentClient()
    client.captured = sockets.reader
    return (client, sockets.writer)
  }

  func content() throws -> [UInt8] {
    let file = try FileDescriptor.open(path, .readOnly)
    defer { try? file.close() }
    var bytes = [UInt8](repeating: 0, count: 1 << 20)
    let count = try bytes.withUnsafeMutableBytes { try file.read(into: $0) }
    return Array(bytes.prefix(count))
  }

  @Test func whatTheSessionSaysIsInTheFile() throws {
    let blocks = [Self.opening, Self.packet, Self.packet, Self.closing]
    let (client, _) = try client(blocks, ends: true)
    let run = try Run(["capture", "3", path.string], client)
    #expect(run.code == .success)
    #expect(run.console.data.isEmpty)
    #expect(run.console.talk.last == "2 packets, 3 dropped")
    #expect(try content() == blocks.flatMap(\.self))
    #expect(client.requests == ["capture 3 65536"])
  }

  @Test func aSessionThatDiesLeavesWhatItSaid() throws {
    let (client, _) = try client([Self.opening, Self.packet], ends: true)
    let run = try Run(["capture", "--snap-length", "100", "3", path.string], client)
    #expect(run.code == .success)
    #expect(run.console.talk.last == "1 packets, those dropped are not known")
    #expect(try content() == Self.opening + Self.packet)
    #expect(client.requests == ["capture 3 100"])
  }

  @Test func ctrlCTellsTheSessionAndWaitsForItsLastWord() throws {
    let stop = try EventCounter()
    let (client, writer) = try client([Self.opening], ends: false)
    BackgroundThread.start {
      // The session: at the reader's end it says its last word and closes.
      do {
        let socket = StreamSocket(try writer.duplicate())
        #expect(try socket.receive(atMost: 1, before: .now + .seconds(20)).isEmpty)
        try socket.send(Self.closing, before: .now + .seconds(20))
        socket.endSending()
      } catch {
        Issue.record(error)
      }
    }
    stop.signal()
    let run = try Run(["capture", "3", path.string], client, until: stop.rawValue)
    #expect(run.console.talk.last == "0 packets, 3 dropped")
    #expect(try content() == Self.opening + Self.closing)
  }

  @Test func aFileThatCannotBeWrittenIsAnError() throws {
    let (client, _) = try client([Self.opening], ends: false)
    let run = try Run(["capture", "3", directory.string], client)
    #expect(run.code == .failure)
    #expect(run.console.talk.first?.contains("cannot be written") == true)
  }

  @Test func whereItIsRefusedTheFileStaysAsItWas() throws {
    let file = try FileDescriptor.open(
      path, .writeOnly, options: [.create], permissions: .ownerReadWrite)
    try file.writeAll("kept".utf8)
    try file.close()
    let client = FakeAgentClient(failure: AgentError(.notPermitted, "no"))
    let run = try Run(["capture", "3", path.string], client)
    #expect(run.code == .notPermitted)
    #expect(try content() == Array("kept".utf8))
  }

  @Test(arguments: ["-1", "245761", "x", ""])
  func aSnapLengthIsANumberWithinLimits(length: String) {
    #expect(throws: (any Error).self) {
      try Devconfig.parseAsRoot(["capture", "--snap-length=\(length)", "3", "file"])
    }
  }
}
