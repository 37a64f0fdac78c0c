// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI
internal import SharePolicy

extension Requester {
  /// Takes `user@host` apart; a text without a host is a user's name.
  init(_ remote: RemoteUser) {
    let text = remote.description
    guard let at = text.lastIndex(of: "@") else {
      self.init(user: text, host: "")
      return
    }
    self.init(user: String(text[..<at]), host: String(text[text.index(after: at)...]))
  }
}
