// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// A verdict and what it rests on.
public struct Judgement: Sendable, Hashable {
  /// Shared or not.
  public var verdict: Verdict
  /// What decided, in words for people: `built in`, `rule 2, line 14`, or `no rule`.
  public var basis: String

  /// Takes both.
  public init(_ verdict: Verdict, basis: String) {
    self.verdict = verdict
    self.basis = basis
  }

  /// The denial, where it is one.
  public var denial: Denial? { verdict.denial }
}
