// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// What the rules do with a packet.
public enum Fate: Sendable, Hashable {
  /// A chain of rules.
  public struct Place: Sendable, Hashable {
    /// As nft calls it: `ip`, `ip6` or `inet`.
    public var family: String
    /// The table.
    public var table: String
    /// The chain at the hook, in which another rule would help.
    public var chain: String

    /// Takes all parts.
    public init(family: String, table: String, chain: String) {
      self.family = family
      self.table = table
      self.chain = chain
    }
  }

  /// No rule keeps it from whom it is for.
  case passes
  /// It is dropped or rejected, whoever sent it.
  case blocked(Place)
  /// That depends on what is not known here, such as its sender's address, or cannot be told.
  case unsure(Place)
}

/// Why a ruleset cannot be judged.
public enum PacketFilterError: Error, Sendable, Hashable {
  /// It is not what `nft -j list ruleset` prints.
  case malformed
  /// It is longer than `PacketFilter.maximumLength`.
  case tooLong
}
