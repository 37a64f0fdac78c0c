// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

private import Glibc
public import SystemPackage

/// One step into the sandbox that the kernel refused; the process must not go on.
public struct SandboxError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The step, as a fixed text of this program.
  public let step: String
  /// The kernel's or libseccomp's answer.
  public let code: Errno

  init(_ step: StaticString, _ code: Errno) {
    self.step = step.description
    self.code = code
  }

  /// Step and answer on one line.
  public var description: String { "\(step): \(code)" }

  /// Throws where a call answered -1.
  static func check(_ result: Int32, _ step: StaticString) throws(SandboxError) {
    guard result == 0 else { throw SandboxError(step, Errno(rawValue: errno)) }
  }
}
