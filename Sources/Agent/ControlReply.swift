// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI
internal import LinuxHost

/// How both harnesses read a session's message and answer it.
enum ControlReply {
  /// The message without the NUL of the framing.
  static func body(_ message: ControlMessage) -> ArraySlice<UInt8> {
    message.bytes.last == 0 ? message.bytes.dropLast() : message.bytes[...]
  }

  /// Sends results; a session that is gone needs no answer.
  static func send(
    _ results: some Codable & Sendable, descriptors: [Int32] = [], on channel: ControlChannel
  ) {
    guard let bytes = try? Message.encode(Reply(results)) else {
      return send(AgentError(.failed, "the answer is too long"), on: channel)
    }
    try? channel.send(bytes, descriptors: descriptors)
  }

  /// Sends an error; a session that is gone needs no answer.
  static func send(_ error: AgentError, on channel: ControlChannel) {
    guard let bytes = try? Message.encode(ErrorReply(error, interface: SessionCalls.interface))
    else { return }
    try? channel.send(bytes, descriptors: [])
  }
}
