// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import Sharing
import TestSupport
import Testing
import USBModel

@testable import Agent

/// A disk of this machine that somebody has.
@Suite(.timeLimit(.minutes(1))) struct TakingBackTests {
  private let bench: AgentBench
  private let line: SessionLineTests.Bench
  private let session = SessionNumber(7)

  init() async throws {
    bench = try AgentBench()
    line = try SessionLineTests.Bench()
    try bench.tree.add(DeviceSamples.disk())
    await bench.inventory.adopt(
      DeviceSamples.disk(), for: RemoteUser(user: "taka", host: "gamma"), session: session)
    await bench.inventory.update(DeviceSamples.disk())
  }

  /// The session ends when it is told to, and the device comes back.
  private func serve(_ agent: AgentAddress?) async {
    let (inventory, session) = (bench.inventory, session)
    await bench.exports.begin(
      DeviceSamples.disk().busID,
      LiveExports.Holder(session: session, agent: agent) {
        Task { await inventory.release(session: session) }
      }, line.line)
  }

  private func takeBack(force: Bool) async throws -> AgentCalls.Outcome {
    let call = Call(
      AgentCalls.takeBack, AgentCalls.TakeBackParameters(device: "Cruzer", force: force))
    let reply = try await bench.reply(
      String(decoding: try Message.encode(call).dropLast(), as: UTF8.self))
    return try Message.decodeReply(AgentCalls.Outcome.self, from: Array(reply.utf8)).parameters
  }

  @Test func ofAPlainPeerByForceOnly() async throws {
    await serve(nil)
    let error = await #expect(throws: AgentError.self) { try await takeBack(force: false) }
    #expect(error?.kind == .inUse)
    #expect(
      error?.message == "SanDisk Cruzer Blade stays with taka@gamma: "
        + "the machine that has it does not run devconfigd and cannot be asked")
    #expect(
      error?.hint
        == "ask taka@gamma for it, or take it back all the same: devconfig unshare --force 1")
    #expect(await bench.catalogue.list().map(\.remoteState) == [.inUse])

    let outcome = try await takeBack(force: true)
    #expect(outcome.changed)
    #expect(outcome.device.remoteState != .inUse)
    #expect(outcome.notes?.first?.contains("what was not written is lost") == true)
  }

  @Test func ofAMachineThatDoesNotAnswerByForceOnly() async throws {
    // No session can be started here, as little as an answer comes from a machine that is off.
    await serve(AgentAddress(host: "127.0.0.1", port: 1))
    let error = await #expect(throws: AgentError.self) { try await takeBack(force: false) }
    #expect(error?.kind == .inUse)
    #expect(await bench.catalogue.list().map(\.remoteState) == [.inUse])
    #expect(try await takeBack(force: true).changed)
    #expect(await bench.catalogue.list().first?.remoteState != .inUse)
  }

  @Test(arguments: [AgentCalls.up, AgentCalls.down])
  func whoWantsItHereIsToldHow(method: String) async throws {
    await serve(nil)
    let error = try await bench.error(method, "Cruzer")
    #expect(error.kind == .inUse)
    #expect(error.message == "SanDisk Cruzer Blade is in use by taka@gamma")
    #expect(error.hint == "ask taka@gamma for it, or take it back: devconfig unshare --now 1")
  }

  @Test func whatIsOnItsWayIsNotTakenBack() async throws {
    let error = await #expect(throws: AgentError.self) { try await takeBack(force: true) }
    #expect(error?.message == "SanDisk Cruzer Blade is on its way")
  }
}
