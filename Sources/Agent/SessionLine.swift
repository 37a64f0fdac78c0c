// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI
internal import LinuxHost
internal import SystemPackage

/// The agent's questions to one session that serves a device; its answers come in the same order.
///
/// A session that does not answer costs its caller `answerLimit` and nobody else anything. What it
/// answers too late is thrown away.
actor SessionLine {
  /// How long a session may take for an answer: it answers between two URBs.
  static let answerLimit = Duration.seconds(2)
  /// Questions asked and not answered; a session that owes so many is not asked again.
  static let maximumOwed = 4
  /// How long an answer is good for: nobody makes a session count more often, or watches somebody
  /// type key by key.
  static let freshness = Duration.seconds(1)

  private typealias Answer = Result<[UInt8], AgentError>

  private struct Question {
    let number: Int
    /// `nil` once nobody waits for it any more.
    var asker: CheckedContinuation<Answer, Never>?
  }

  private let channel: ControlChannel
  private let answerLimit: Duration
  private var owed: [Question] = []
  private var asked = 0
  private var isEnded = false
  private var latest: (at: ContinuousClock.Instant, statistics: SessionStatistics)?
  private var counting: Task<Result<SessionStatistics, AgentError>, Never>?

  /// When the session got its device.
  let since: ContinuousClock.Instant

  init(
    _ channel: ControlChannel, since: ContinuousClock.Instant = .now,
    answerLimit: Duration = SessionLine.answerLimit
  ) {
    self.channel = channel
    self.since = since
    self.answerLimit = answerLimit
  }

  /// What the session has counted, `freshness` old at most.
  ///
  /// Throws `AgentError`: `timedOut` where it does not answer, `protocolMismatch` where its answer
  /// makes no sense, `failed` where it has ended.
  func statistics() async throws(AgentError) -> SessionStatistics {
    if let latest, latest.at.duration(to: .now) < SessionLine.freshness {
      return latest.statistics
    }
    // Owned by this actor, one at a time: who comes meanwhile waits for the same answer.
    let task =
      counting
      ?? Task { () async -> Result<SessionStatistics, AgentError> in
        do throws(AgentError) {
          let answer = try await ask(
            SessionCalls.statistics, Nothing(), SessionStatistics.self, within: answerLimit)
          return .success(try answer.checked())
        } catch {
          return .failure(error)
        }
      }
    counting = task
    let result = await task.value
    if counting == task {
      counting = nil
      if case .success(let statistics) = result { latest = (.now, statistics) }
    }
    return try result.get()
  }

  /// Asks one question and waits for the answer; throws as `statistics`, and what the session throws.
  func ask<Parameters: Codable & Sendable, Results: Codable & Sendable>(
    _ method: String, _ parameters: Parameters, _ results: Results.Type,
    descriptors: [SharedDescriptor] = [], within limit: Duration = SessionLine.answerLimit
  ) async throws(AgentError) -> Results {
    let message = try Message.encode(Call(method, parameters))
    guard !isEnded else { throw SessionLine.ended }
    guard owed.count < SessionLine.maximumOwed else { throw SessionLine.silent }
    asked += 1
    let number = asked
    // Ends with this call: it sleeps, or it is cancelled below.
    let alarm = Task {
      try await Task.sleep(for: limit)
      expire(number)
    }
    defer { alarm.cancel() }
    let answer = await withCheckedContinuation { (asker: CheckedContinuation<Answer, Never>) in
      do throws(HostError) {
        try channel.send(message, descriptors: descriptors.map(\.rawValue))
        owed.append(Question(number: number, asker: asker))
      } catch {
        asker.resume(
          returning: .failure(
            error.code == .resourceTemporarilyUnavailable ? SessionLine.silent : SessionLine.ended))
      }
    }
    withExtendedLifetime(descriptors) {}
    return try Message.decodeReply(results, from: try answer.get()).parameters
  }

  /// Takes an answer of the session; false where it owes none.
  func take(_ body: some Collection<UInt8> & Sendable) -> Bool {
    guard !owed.isEmpty else { return false }
    owed.removeFirst().asker?.resume(returning: .success(Array(body)))
    return true
  }

  /// The session has ended: nobody waits for it any more.
  func end() {
    isEnded = true
    for question in owed { question.asker?.resume(returning: .failure(SessionLine.ended)) }
    owed = []
  }

  private func expire(_ number: Int) {
    guard let index = owed.firstIndex(where: { $0.number == number }) else { return }
    // It stays owed: the answer may still come, and must not be taken for the next one.
    owed[index].asker?.resume(returning: .failure(SessionLine.silent))
    owed[index].asker = nil
  }

  private static let silent = AgentError(
    .timedOut, "the device's session does not answer",
    hint: "journalctl -u devconfigd shows what it said last")
  private static let ended = AgentError(
    .failed, "the device's session has ended", hint: "devconfig list shows who has the device now")
}
