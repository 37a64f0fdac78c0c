// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

public import SystemPackage

/// One refused call to the operating system: what was tried, on what, and the kernel's answer.
public struct HostError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What was tried, as a fixed text of this program, such as `open` or `attach to vhci_hcd`.
  public let operation: String
  /// The path, bus ID, address or process it was tried on; empty where there is none.
  public let subject: String
  /// The kernel's answer.
  public let code: Errno

  /// Takes the three parts.
  public init(_ operation: StaticString, _ subject: String = "", _ code: Errno) {
    self.operation = operation.description
    self.subject = subject
    self.code = code
  }

  /// Operation, subject and the text of the code, on one line.
  public var description: String {
    subject.isEmpty ? "\(operation): \(code)" : "\(operation) \(subject): \(code)"
  }
}
