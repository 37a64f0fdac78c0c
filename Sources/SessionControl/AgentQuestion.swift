// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

public import AgentAPI
public import LinuxHost
internal import SystemPackage

/// One call of the agent to a session that serves its device.
public struct AgentQuestion: Sendable {
  /// `interface.Method`; empty where the call could not be understood.
  public let method: String
  private let body: [UInt8]
  /// The first descriptor beside the call.
  public let descriptor: SharedDescriptor?

  init(_ message: ControlMessage) {
    var content = message.bytes
    if content.last == 0 { content.removeLast() }
    body = content
    descriptor = message.descriptors.first
    method = (try? Message.decode(CallHead.self, from: content))?.method ?? ""
  }

  /// The call's parameters.
  ///
  /// Throws `AgentError` (`protocolMismatch`).
  public func parameters<Parameters: Codable & Sendable>(
    _ type: Parameters.Type
  ) throws(AgentError) -> Parameters {
    try Message.decode(Call<Parameters>.self, from: body).parameters
  }
}

/// What became of the control socket when it was looked at.
public enum AgentNews: Sendable {
  /// Nothing is there.
  case nothing
  /// The agent asks.
  case question(AgentQuestion)
  /// The agent has closed its end, or broke the rules.
  case gone
}

extension AgentLink {
  /// What the agent says now; does not wait.
  public borrowing func news() -> AgentNews {
    do throws(HostError) {
      guard let message = try receiveNow() else { return .gone }
      return .question(AgentQuestion(message))
    } catch {
      return error.code == .timedOut ? .nothing : .gone
    }
  }

  /// Answers the last question; where the agent does not read, the answer is lost.
  public borrowing func answer(_ results: some Codable & Sendable) {
    sendNow(try? Message.encode(Reply(results)))
  }

  /// Answers the last question with an error, as above.
  public borrowing func answer(_ error: AgentError) {
    sendNow(try? Message.encode(ErrorReply(error, interface: SessionCalls.interface)))
  }
}
