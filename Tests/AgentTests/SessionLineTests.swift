// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import LinuxHost
import TestSupport
import Testing

@testable import Agent

/// Questions of the agent to a session that may answer, lie, be late, or be gone.
@Suite(.timeLimit(.minutes(1))) struct SessionLineTests {
  /// A line and the session's end of it; what the session says is handed to the line.
  final class Bench: Sendable {
    let line: SessionLine
    private let channel: ControlChannel
    private let session: SharedDescriptor
    private let reader: Task<Void, Never>

    init(answerLimit: Duration = .seconds(20)) throws {
      let pair = try ControlChannel.pair()
      let channel = pair.agent
      self.channel = channel
      session = SharedDescriptor(pair.takeSession())
      let line = SessionLine(channel, answerLimit: answerLimit)
      self.line = line
      reader = Task {
        for await message in channel.incoming { _ = await line.take(ControlReply.body(message)) }
        await line.end()
      }
    }

    deinit {
      channel.close()
      reader.cancel()
    }

    /// The next question the session gets.
    func question() async throws -> CallHead { try await questionAndDescriptor().0 }

    /// The same with what came beside it.
    func questionAndDescriptor() async throws -> (CallHead, SharedDescriptor?) {
      let session = session
      return try await BackgroundThread.run {
        let socket = ControlSocket(adopting: try session.duplicate())
        let message = try #require(try socket.receive(deadline: 20_000))
        return (
          try Message.decode(CallHead.self, from: message.bytes.dropLast()),
          message.descriptors.first
        )
      }
    }

    /// The session says something.
    func say(_ bytes: [UInt8]) throws {
      try ControlSocket(adopting: try session.duplicate()).send(bytes)
    }

    func say(_ statistics: SessionStatistics) throws {
      try say(try Message.encode(Reply(statistics)))
    }

    /// The session is gone.
    func vanish() { channel.close() }
  }

  @Test func anAnswerComesBack() async throws {
    let bench = try Bench()
    let statistics = Task { try await bench.line.statistics() }
    #expect(try await bench.question().method == SessionCalls.statistics)
    try bench.say(SessionStatistics(elapsed: 5, refused: 6))
    #expect(try await statistics.value == SessionStatistics(elapsed: 5, refused: 6))
    // A moment later nobody is asked again.
    #expect(try await bench.line.statistics().refused == 6)
  }

  @Test func manyWhoAskAtOnceAreOneQuestion() async throws {
    let bench = try Bench()
    try await withThrowingTaskGroup(of: SessionStatistics.self) { group in
      for _ in 0..<50 { group.addTask { try await bench.line.statistics() } }
      _ = try await bench.question()
      try bench.say(SessionStatistics(elapsed: 5))
      for try await statistics in group { #expect(statistics.elapsed == 5) }
    }
  }

  @Test func aSilentSessionIsToldSoAndNotAskedForEver() async throws {
    let bench = try Bench(answerLimit: .milliseconds(1))
    for _ in 0..<SessionLine.maximumOwed + 3 {
      let error = await #expect(throws: AgentError.self) { try await bench.line.statistics() }
      #expect(error?.kind == .timedOut)
    }
    for _ in 0..<SessionLine.maximumOwed { _ = try await bench.question() }
  }

  @Test func aLateAnswerIsNotTakenForTheNextOne() async throws {
    let bench = try Bench()
    @Sendable func ask(within limit: Duration) async throws -> SessionStatistics {
      try await bench.line.ask(
        SessionCalls.statistics, Nothing(), SessionStatistics.self, within: limit)
    }
    let error = await #expect(throws: AgentError.self) { try await ask(within: .milliseconds(1)) }
    #expect(error?.kind == .timedOut)
    _ = try await bench.question()
    let second = Task { try await ask(within: .seconds(20)) }
    _ = try await bench.question()
    try bench.say(SessionStatistics(elapsed: 1))
    try bench.say(SessionStatistics(elapsed: 2))
    #expect(try await second.value.elapsed == 2)
  }

  @Test(arguments: [
    "garbage\0", "{}\0", "[]\0", "{\"parameters\":{}}\0", "{\"parameters\":{\"elapsed_us\":-1}}\0",
    "{\"error\":7}\0", "\0",
  ])
  func anAnswerThatMakesNoSenseIsAMismatch(text: String) async throws {
    let bench = try Bench()
    let statistics = Task { try await bench.line.statistics() }
    _ = try await bench.question()
    try bench.say(Array(text.utf8))
    let error = await #expect(throws: AgentError.self) { try await statistics.value }
    #expect(error?.kind == .protocolMismatch)
  }

  @Test func tooManyEndpointsAreAMismatch() async throws {
    let bench = try Bench()
    let statistics = Task { try await bench.line.statistics() }
    _ = try await bench.question()
    try bench.say(
      SessionStatistics(
        elapsed: 0,
        endpoints: (0..<1000).map { EndpointCounters(address: UInt8($0 & 0x0F), transfer: .bulk) }))
    let error = await #expect(throws: AgentError.self) { try await statistics.value }
    #expect(error?.kind == .protocolMismatch)
  }

  @Test func anErrorOfTheSessionReachesWhoAsked() async throws {
    let bench = try Bench()
    let outcome = Task {
      try await bench.line.ask(
        SessionCalls.capture, SessionCalls.CaptureParameters(snapLength: 1), Nothing.self)
    }
    #expect(try await bench.question().method == SessionCalls.capture)
    try bench.say(
      try Message.encode(
        ErrorReply(AgentError(.inUse, "running already"), interface: SessionCalls.interface)))
    let error = await #expect(throws: AgentError.self) { try await outcome.value }
    #expect(error?.kind == .inUse)
    #expect(error?.message == "running already")
  }

  @Test func theEndOfTheSessionEndsTheWait() async throws {
    let bench = try Bench()
    let statistics = Task { try await bench.line.statistics() }
    _ = try await bench.question()
    bench.vanish()
    let error = await #expect(throws: AgentError.self) { try await statistics.value }
    #expect(error?.kind == .failed)
    await #expect(throws: AgentError.self) { try await bench.line.statistics() }
  }

  @Test func wordsNobodyAskedForAreNoAnswer() async throws {
    let bench = try Bench()
    #expect(await !bench.line.take(Array("{}".utf8)))
  }
}
