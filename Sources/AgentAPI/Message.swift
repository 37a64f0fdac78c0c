// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

private import FoundationEssentials

/// The framing all our own talk shares: one JSON object, then one NUL byte (varlink.org, "Method Call").
///
/// The same on the local socket, between agent and session, and between agents.
public enum Message {
  /// The longest message in bytes, without its NUL.
  public static let maximumLength = 256 * 1024

  /// Encodes a call or a reply, its NUL included; throws `AgentError` when it is too long.
  public static func encode(_ value: some Encodable) throws(AgentError) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(value), data.count <= maximumLength else {
      throw AgentError(.protocolMismatch, "a message cannot be encoded or is too long")
    }
    return [UInt8](data) + [0]
  }

  /// Decodes one message without its NUL; throws `AgentError` (`protocolMismatch`) on anything else.
  public static func decode<Value: Decodable>(
    _ type: Value.Type, from bytes: some Collection<UInt8>
  ) throws(AgentError) -> Value {
    do {
      return try JSONDecoder().decode(type, from: Data(bytes))
    } catch {
      throw AgentError(.protocolMismatch, "a message is not what was expected")
    }
  }
}

/// Collects bytes from a stream and hands out whole messages in order; pure, bounded.
public struct MessageFramer: Sendable {
  private var buffer: [UInt8] = []
  private var scanned = 0

  /// Starts empty.
  public init() {}

  /// Bytes received that are not yet a whole message.
  public var pendingBytes: [UInt8] { buffer }

  /// Appends what was received; throws `AgentError` when a message grows over the limit.
  public mutating func append(_ bytes: some Collection<UInt8>) throws(AgentError) {
    guard buffer.count + bytes.count <= 2 * Message.maximumLength else {
      throw AgentError(.protocolMismatch, "a message is too long")
    }
    buffer.append(contentsOf: bytes)
  }

  /// The next whole message without its NUL; `nil` when more bytes are needed.
  public mutating func next() throws(AgentError) -> [UInt8]? {
    guard let end = buffer[scanned...].firstIndex(of: 0) else {
      scanned = buffer.count
      guard buffer.count <= Message.maximumLength else {
        throw AgentError(.protocolMismatch, "a message is too long")
      }
      return nil
    }
    let message = Array(buffer[..<end])
    buffer.removeSubrange(...end)
    scanned = 0
    guard message.count <= Message.maximumLength else {
      throw AgentError(.protocolMismatch, "a message is too long")
    }
    return message
  }
}
