// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

public import AgentAPI

/// Where the kept devices outlast the agent.
public protocol KeptBook: Sendable {
  /// What was written last; nothing before.
  func read() async -> KeptDevices
  /// Writes all of it, for good when this returns. Throws `AgentError` where that is not possible.
  func write(_ kept: KeptDevices) async throws(AgentError)
}
