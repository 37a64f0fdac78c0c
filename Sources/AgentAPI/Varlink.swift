// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// The name of the method of a call, read before its parameters are.
public struct CallHead: Sendable, Codable {
  /// `interface.Method`.
  public var method: String
  /// True where the caller wants no reply.
  public var oneway: Bool?
  /// True where the caller takes several replies.
  public var more: Bool?
  /// True where the connection is to speak another protocol after the reply.
  public var upgrade: Bool?
}

/// One method call (varlink.org, "Method Call").
public struct Call<Parameters: Codable & Sendable>: Sendable, Codable {
  /// `interface.Method`.
  public var method: String
  /// The method's parameters.
  public var parameters: Parameters
  /// True where the caller takes several replies.
  public var more: Bool?
  /// True where the connection is to speak another protocol after the reply.
  public var upgrade: Bool?

  /// Makes a call; `upgrade` and `more` are left out of the JSON when false.
  public init(
    _ method: String, _ parameters: Parameters, more: Bool = false, upgrade: Bool = false
  ) {
    self.method = method
    self.parameters = parameters
    self.more = more ? true : nil
    self.upgrade = upgrade ? true : nil
  }
}

/// One successful reply.
public struct Reply<Parameters: Codable & Sendable>: Sendable, Codable {
  /// The method's results.
  public var parameters: Parameters
  /// True where further replies follow.
  public var continues: Bool?

  /// Makes a reply; `continues` is left out of the JSON when false.
  public init(_ parameters: Parameters, continues: Bool = false) {
    self.parameters = parameters
    self.continues = continues ? true : nil
  }
}

/// No parameters, or no results.
public struct Nothing: Sendable, Hashable, Codable {
  /// The only value.
  public init() {}
}

/// One error reply: a name and what a person needs to know.
public struct ErrorReply: Sendable, Codable {
  /// Body of an error reply.
  public struct Parameters: Sendable, Codable {
    /// What happened.
    public var message: String
    /// What to type next.
    public var hint: String?
    /// What matches an ambiguous selector.
    public var candidates: [DeviceStatus]?
  }

  /// `interface.Error`.
  public var error: String
  /// Body.
  public var parameters: Parameters?

  /// Turns an error into a reply of `interface`.
  public init(_ error: AgentError, interface: String) {
    self.error = "\(interface).\(error.kind.rawValue)"
    parameters = Parameters(
      message: error.message, hint: error.hint.isEmpty ? nil : error.hint,
      candidates: error.candidates.isEmpty ? nil : error.candidates)
  }

  /// Reads a reply; a body of another interface's error counts as none.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    error = try container.decode(String.self, forKey: .error)
    parameters = try? container.decode(Parameters.self, forKey: .parameters)
  }

  /// The error; a name nobody here knows becomes `failed`, never a trap.
  public var agentError: AgentError {
    let name = error.split(separator: ".").last.map(String.init) ?? ""
    return AgentError(
      AgentError.Kind(rawValue: name) ?? .failed, parameters?.message ?? error,
      hint: parameters?.hint ?? "", candidates: parameters?.candidates ?? [])
  }
}

/// Only what tells an error reply from a successful one.
private struct ReplyHead: Codable {
  var error: String?
}

extension Message {
  /// Decodes a reply to a call with results of `type`; throws the error it carries, or a mismatch.
  public static func decodeReply<Parameters: Codable & Sendable>(
    _ type: Parameters.Type, from bytes: some Collection<UInt8>
  ) throws(AgentError) -> Reply<Parameters> {
    let head = try decode(ReplyHead.self, from: bytes)
    guard head.error == nil else {
      throw try decode(ErrorReply.self, from: bytes).agentError
    }
    return try decode(Reply<Parameters>.self, from: bytes)
  }
}
