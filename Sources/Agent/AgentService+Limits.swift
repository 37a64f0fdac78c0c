// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

extension AgentService {
  /// How often this machine's use of its own devices is looked at without an event.
  static let refreshInterval = Duration.seconds(10)
  /// The most local connections served at once, and the most of one user.
  static let maximumLocalConnections = 256
  static let maximumLocalConnectionsPerUser = 64
}
