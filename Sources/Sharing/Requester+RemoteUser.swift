// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI
internal import SharePolicy

extension Requester {
  /// Takes `user@host` apart; a text without a host is a user's name.
  init(_ remote: RemoteUser) {
    self.init(user: remote.name, host: remote.host ?? "")
  }
}
