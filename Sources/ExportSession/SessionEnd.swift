// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

public import USBIPWire

/// Why a session ended.
public enum SessionEnd: Error, Equatable, Sendable {
  /// The peer closed the connection between two messages.
  case peerClosed
  /// The peer closed the connection within a message.
  case truncated
  /// The request was answered and there is nothing more to do.
  case answered
  /// The agent closed the control socket.
  case agentGone
  /// SIGTERM or SIGINT.
  case terminated
  /// The device was unplugged, or its kernel driver gave up; a negative errno.
  case deviceGone(Int32)
  /// The peer broke the protocol.
  case violation(WireError)
  /// The peer's call is no message.
  case malformedCall
  /// The peer speaks another protocol; its first byte.
  case unknownDoor(UInt8)
  /// The operation phase did not end in time.
  case timedOut
  /// The peer takes no replies.
  case writeStalled
  /// The connection broke; errno.
  case connectionFailed(Int32)
  /// The device's descriptors cannot be read or understood.
  case unreadableDevice
  /// The kernel refused something the session needs; errno.
  case hostFailed(Int32)
  /// The agent's answer makes no sense, or none came.
  case agentFailed

  /// True where nothing went wrong on this machine or in the protocol: exit status 0.
  public var isNormal: Bool {
    switch self {
    case .peerClosed, .answered, .agentGone, .terminated, .deviceGone: true
    default: false
    }
  }
}
