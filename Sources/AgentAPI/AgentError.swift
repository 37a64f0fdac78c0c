// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// An error as it goes over the local socket and reaches a person.
///
/// What happened to what is in `message`; what to type next is in `hint`.
public struct AgentError: Error, Sendable, Hashable {
  /// The kind; decides the exit code.
  public enum Kind: String, Sendable, Hashable, CaseIterable {
    case unknownDevice = "UnknownDevice"
    case ambiguousDevice = "AmbiguousDevice"
    case inUse = "DeviceInUse"
    case denied = "DeviceDenied"
    case unreachable = "ExporterUnreachable"
    case notPermitted = "NotPermitted"
    case kernelSupportMissing = "KernelSupportMissing"
    case noFreePort = "NoFreePort"
    case timedOut = "TimedOut"
    case protocolMismatch = "ProtocolMismatch"
    case failed = "Failed"

    /// The exit code of the command that meets this error.
    public var exitCode: ExitCode {
      switch self {
      case .unknownDevice: .unknownDevice
      case .ambiguousDevice: .ambiguousDevice
      case .inUse: .inUse
      case .denied: .denied
      case .unreachable: .unreachable
      case .notPermitted: .notPermitted
      case .kernelSupportMissing: .kernelSupportMissing
      case .noFreePort: .noFreePort
      case .timedOut: .timedOut
      case .protocolMismatch: .protocolMismatch
      case .failed: .failure
      }
    }
  }

  /// The kind.
  public var kind: Kind
  /// What happened, to what; one sentence without a full stop.
  public var message: String
  /// The next thing to type; empty where there is none.
  public var hint: String
  /// The devices that match, for an ambiguous selector.
  public var candidates: [DeviceStatus]

  /// Takes all parts.
  public init(
    _ kind: Kind, _ message: String, hint: String = "", candidates: [DeviceStatus] = []
  ) {
    self.kind = kind
    self.message = message
    self.hint = hint
    self.candidates = candidates
  }
}
