// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import LinuxHost
import Sharing
import TestSupport
import Testing
import USBModel

@testable import Agent

/// What `status` and `capture` say, and to whom.
@Suite(.timeLimit(.minutes(1))) struct InspectionTests {
  static let stranger = PeerCredentials(uid: 54321, gid: 54321, pid: 7)
  /// A member of the group on machines that have it; never root.
  static let somebody = PeerCredentials(uid: 54322, gid: 54322, pid: 8)

  /// A machine with a disk whose session is `line`'s other end.
  struct Exporting {
    let bench: AgentBench
    let session: SessionLineTests.Bench

    init() async throws {
      bench = try AgentBench()
      session = try SessionLineTests.Bench()
      try bench.tree.add(DeviceSamples.disk())
      await bench.inventory.update(DeviceSamples.disk())
      await bench.exports.begin(
        DeviceSamples.disk().busID,
        LiveExports.Holder(session: SessionNumber(1), agent: nil, end: {}), session.line)
    }

    var inspection: DeviceInspection {
      DeviceInspection(
        catalogue: bench.catalogue, attachments: bench.attachments, exports: bench.exports,
        sequences: bench.sequences, host: "beta", log: AgentBench.log)
    }

    /// One report, the session answering with `statistics`.
    func reports(
      _ selector: String?, _ statistics: SessionStatistics
    ) async throws -> [DeviceReport] {
      let inspection = inspection
      let reports = Task { try await inspection.reports(selector) }
      _ = try await session.question()
      try session.say(statistics)
      return try await reports.value
    }
  }

  static let statistics = SessionStatistics(
    elapsed: 3_000_000, endpoints: [EndpointCounters(address: 0x81, transfer: .bulk)])

  @Test func theSessionOfADeviceIsAsked() async throws {
    let exporting = try await Exporting()
    let report = try #require(try await exporting.reports("Cruzer", Self.statistics).first)
    #expect(report.device.name == "SanDisk Cruzer Blade")
    #expect(report.traffic?.elapsed == 3_000_000)
    #expect(report.traffic?.endpoints.map(\.address) == [0x81])
    #expect(report.note == nil)
    #expect(report.attachment == nil)
    // This test began this century and ends in it.
    #expect((1_700_000_000...4_102_444_800).contains(try #require(report.since)))
  }

  @Test func theOverviewLeavesEndpointsOut() async throws {
    let exporting = try await Exporting()
    await exporting.bench.catalogue.found(AgentBench.remote(), source: "s1")
    let reports = try await exporting.reports(nil, Self.statistics)
    #expect(reports.map(\.device.isLocal) == [true], "what is free elsewhere is not shown")
    #expect(reports.first?.traffic?.endpoints == [])
  }

  @Test func nonsenseOfASessionIsTold() async throws {
    let exporting = try await Exporting()
    var bad = Self.statistics
    bad.endpoints += bad.endpoints
    let report = try #require(try await exporting.reports("Cruzer", bad).first)
    #expect(report.traffic == nil)
    #expect(report.note == "what the session counts makes no sense")
  }

  @Test func aDeviceNobodyUsesHasNoTraffic() async throws {
    let bench = try AgentBench()
    try bench.tree.add(DeviceSamples.disk())
    await bench.inventory.update(DeviceSamples.disk())
    let reply = try await bench.reply(
      #"{"method":"org.devconfig.Agent.Status","parameters":{"device":"Cruzer"}}"#)
    let report = try #require(
      try Message.decodeReply(AgentCalls.StatusResults.self, from: Array(reply.utf8))
        .parameters.devices.first)
    #expect(report.traffic == nil)
    #expect(report.since == nil)
    #expect(report.note == nil)
  }

  @Test func aSessionThatEndedIsForgotten() async throws {
    let exporting = try await Exporting()
    await exporting.bench.exports.end(SessionNumber(2))
    #expect(await exporting.bench.exports.line(DeviceSamples.disk().busID) != nil)
    await exporting.bench.exports.end(SessionNumber(1))
    #expect(await exporting.bench.exports.line(DeviceSamples.disk().busID) == nil)
    await #expect(throws: AgentError.self) { try await exporting.session.line.statistics() }
  }

  @Test(arguments: [
    #"{"method":"org.devconfig.Agent.Status","parameters":{}}"#,
    #"{"method":"org.devconfig.Agent.Capture","parameters":{"device":"1"}}"#,
  ])
  func strangersSeeNothing(message: String) async throws {
    let bench = try AgentBench()
    let reply = Array(try await bench.reply(message, from: Self.stranger).utf8)
    let error = try #require(throws: AgentError.self) {
      _ = try Message.decodeReply(Nothing.self, from: reply)
    }
    #expect(error.kind == .notPermitted)
  }

  @Test func rootGetsASocketFromTheSession() async throws {
    let exporting = try await Exporting()
    let reader = Task {
      try await exporting.inspection.capture(
        AgentCalls.CaptureParameters(device: "Cruzer", snapLength: 100), for: AgentBench.root)
    }
    let (head, descriptor) = try await exporting.session.questionAndDescriptor()
    #expect(head.method == SessionCalls.capture)
    try exporting.session.say(try Message.encode(Reply(Nothing())))
    let output = StreamSocket(try await reader.value.duplicate())
    let writer = try #require(descriptor)
    try StreamSocket(try writer.duplicate()).send([1, 2, 3], before: .now + .seconds(20))
    #expect(try output.receive(atMost: 10, before: .now + .seconds(20)) == [1, 2, 3])
  }

  @Test func nobodyElseMayRecordWhatSomebodyDoes() async throws {
    let exporting = try await Exporting()
    let error = await #expect(throws: AgentError.self) {
      try await exporting.inspection.capture(
        AgentCalls.CaptureParameters(device: "Cruzer"), for: Self.somebody)
    }
    #expect(error?.kind == .notPermitted)
    #expect(error?.message.contains("only root") == true)
  }

  @Test(arguments: [-1, AgentCalls.maximumSnapLength + 1, Int.max, Int.min])
  func aSnapLengthHasLimits(length: Int) async throws {
    let exporting = try await Exporting()
    let error = await #expect(throws: AgentError.self) {
      try await exporting.inspection.capture(
        AgentCalls.CaptureParameters(device: "Cruzer", snapLength: length), for: AgentBench.root)
    }
    #expect(error?.message.contains("snap length") == true)
  }

  @Test func whatIsNotExportedHereCannotBeCapturedHere() async throws {
    let bench = try AgentBench()
    try bench.tree.add(DeviceSamples.disk())
    await bench.inventory.update(DeviceSamples.disk())
    await bench.catalogue.found(AgentBench.remote(), source: "s1")
    for (name, words) in [("Cruzer", "nobody uses"), ("Optical", "on alpha")] {
      let reply = Array(
        try await bench.reply(
          #"{"method":"org.devconfig.Agent.Capture","parameters":{"device":"\#(name)"}}"#
        ).utf8)
      let error = try #require(throws: AgentError.self) {
        _ = try Message.decodeReply(Nothing.self, from: reply)
      }
      #expect(error.kind == .failed)
      #expect(error.message.contains(words), "\(error.message)")
      #expect(!error.hint.isEmpty)
    }
  }
}
