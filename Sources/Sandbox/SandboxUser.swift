// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// The user and group a sandboxed process becomes; numbers, because it cannot look up names.
public struct SandboxUser: Sendable, Hashable {
  /// The user's number.
  public let user: UInt32
  /// The only group's number.
  public let group: UInt32

  /// Takes both.
  public init(user: UInt32, group: UInt32) {
    self.user = user
    self.group = group
  }
}
