// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

public import SystemPackage

/// What libseccomp could not do, and why.
public struct SeccompError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The step, as a fixed text of this program.
  public let step: String
  /// The library's answer.
  public let code: Errno

  init(_ step: StaticString, _ code: Errno) {
    self.step = step.description
    self.code = code
  }

  /// Step and answer on one line.
  public var description: String { "\(step): \(code)" }
}
