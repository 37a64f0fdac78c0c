// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import SessionControl

extension SessionEnd {
  /// Writes the one line that the journal gets of an ended session; nothing for everyday ends.
  public func log(peer: String) {
    switch self {
    case .peerClosed, .answered, .agentGone, .terminated:
      break
    case .deviceGone(let code):
      SessionLog.write(
        .notice, "device is gone, ending the session", ["peer": peer, "errno": "\(-code)"])
    case .truncated:
      SessionLog.write(.warning, "peer closed within a message", ["peer": peer])
    case .violation(let error):
      SessionLog.write(
        .warning, "peer broke the protocol, closing", ["peer": peer, "error": "\(error)"])
    case .malformedCall:
      SessionLog.write(.warning, "peer sent a call that is none, closing", ["peer": peer])
    case .unknownDoor(SessionEnd.tlsHandshake):
      SessionLog.write(.warning, "peer wants TLS, which is not served yet, closing", ["peer": peer])
    case .unknownDoor(let byte):
      SessionLog.write(
        .warning, "peer speaks an unknown protocol, closing",
        ["peer": peer, "first_byte": "\(byte)"])
    case .timedOut:
      SessionLog.write(.warning, "peer took too long with its request, closing", ["peer": peer])
    case .writeStalled:
      SessionLog.write(.warning, "peer takes no replies, closing", ["peer": peer])
    case .connectionFailed(let code):
      SessionLog.write(
        .notice, "connection broke, ending the session", ["peer": peer, "errno": "\(code)"])
    case .unreadableDevice:
      SessionLog.write(.error, "device's descriptors cannot be understood", ["peer": peer])
    case .hostFailed(let code):
      SessionLog.write(
        .error, "operating system refused what a session needs",
        ["peer": peer, "errno": "\(code)"])
    case .agentFailed:
      SessionLog.write(.error, "agent's answer makes no sense", ["peer": peer])
    }
  }

  /// The content type of a TLS handshake record (RFC 8446, 5.1).
  private static let tlsHandshake: UInt8 = 0x16
}
