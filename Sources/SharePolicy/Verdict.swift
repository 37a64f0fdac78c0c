// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// Why a device is not shared.
public struct Denial: Sendable, Hashable {
  /// In words for people, naming the owner; no full stop.
  public var reason: String
  /// True where nothing the machine's people do will change it: such a device is not announced.
  public var isLasting: Bool

  /// Takes both.
  public init(_ reason: String, isLasting: Bool = false) {
    self.reason = reason
    self.isLasting = isLasting
  }
}

/// What the policy says of one device at one moment.
public enum Verdict: Sendable, Hashable {
  case share
  case deny(Denial)

  /// The denial, where it is one.
  public var denial: Denial? {
    guard case .deny(let denial) = self else { return nil }
    return denial
  }
}
