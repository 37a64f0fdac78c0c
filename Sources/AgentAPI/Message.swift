// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

private import FoundationEssentials

/// The framing all our own talk shares: one JSON object, then one NUL byte (varlink.org, "Method Call").
///
/// The same on the local socket, between agent and session, and between agents.
public enum Message {
  /// The longest message in bytes, without its NUL; a list of 4,096 devices fits.
  public static let maximumLength = 2 * 1024 * 1024

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
  /// Where the first message not yet handed out begins.
  private var start = 0
  /// Up to where no NUL was found.
  private var scanned = 0

  /// Starts empty.
  public init() {}

  /// Bytes received that are not yet a whole message.
  public var pendingBytes: [UInt8] { Array(buffer[start...]) }

  /// Appends what was received; throws `AgentError` when a message grows over the limit.
  public mutating func append(_ bytes: some Collection<UInt8>) throws(AgentError) {
    // Moved here, once per chunk: once per message would cost the square of a flood of small ones.
    buffer.removeSubrange(..<start)
    scanned -= start
    start = 0
    guard buffer.count + bytes.count <= 2 * Message.maximumLength else {
      throw AgentError(.protocolMismatch, "a message is too long")
    }
    buffer.append(contentsOf: bytes)
  }

  /// The next whole message without its NUL; `nil` when more bytes are needed.
  public mutating func next() throws(AgentError) -> [UInt8]? {
    let end = buffer[scanned...].firstIndex(of: 0)
    guard (end ?? buffer.count) - start <= Message.maximumLength else {
      throw AgentError(.protocolMismatch, "a message is too long")
    }
    guard let end else {
      scanned = buffer.count
      return nil
    }
    let message = Array(buffer[start..<end])
    start = end + 1
    scanned = start
    return message
  }
}
