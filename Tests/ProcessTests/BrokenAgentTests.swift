// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import LinuxHost
import SystemPackage
import TestSupport
import Testing

extension Processes {
  /// `devconfig` against something on the agent's socket that is no good agent.
  @Suite(.timeLimit(.minutes(1))) struct BrokenAgentTests {
    /// Answers each caller with `pieces`, one after the other, and closes.
    func run(_ arguments: [String], answering pieces: [[UInt8]]) async throws -> Machine.Finished {
      let machine = try Machine()
      let listener = try LocalListener(path: machine.socket)
      let server = Task {
        for await connection in listener.connections {
          for await _ in connection.incoming { break }
          for piece in pieces { try? await connection.send(piece) }
          connection.close()
        }
      }
      defer {
        listener.close()
        server.cancel()
      }
      return try await machine.run(Machine.programs.appending("devconfig"), arguments)
    }

    @Test(arguments: [["list"], ["up", "1"], ["down", "1"]])
    func whatIsNoReplyIsAMismatch(arguments: [String]) async throws {
      for text in ["garbage", "{}", #"{"parameters":{}}"#, #"{"parameters":7}"#] {
        let run = try await run(arguments, answering: [Array(text.utf8) + [0]])
        #expect(run.code == .protocolMismatch)
        #expect(run.data == [])
        #expect(!run.talk.isEmpty)
      }
    }

    @Test func aConnectionThatEndsIsAFailureWithANextStep() async throws {
      for pieces in [[], [Array(#"{"parameters":{"devices":["#.utf8)]] {
        let run = try await run(["list"], answering: pieces)
        #expect(run.code == .failure)
        #expect(run.talk.first == "devconfig: the agent closed the connection")
        #expect(run.talk.last?.contains("journalctl -u devconfigd") == true)
      }
    }

    @Test func anEndlessReplyIsAMismatch() async throws {
      let pieces = [[UInt8]](repeating: [UInt8](repeating: 0x61, count: 1 << 18), count: 20)
      #expect(try await run(["list"], answering: pieces).code == .protocolMismatch)
    }

    @Test func anErrorOfANewerAgentIsTold() async throws {
      let reply = #"{"error":"org.devconfig.Agent.OnFire","parameters":{"message":"it burns"}}"#
      let run = try await run(["list"], answering: [Array(reply.utf8) + [0]])
      #expect(run.code == .failure)
      #expect(run.talk == ["devconfig: it burns"])
    }

    @Test func aReplyInPiecesIsOneReply() async throws {
      let bytes = try Message.encode(
        Reply(AgentCalls.ListResults(devices: [DeviceSamples.mouseStatus])))
      let run = try await run(["list"], answering: bytes.map { [$0] })
      #expect(run.code == .success)
      #expect(run.data.last?.hasPrefix("  2  Logitech M4848  gamma") == true)
    }
  }
}
