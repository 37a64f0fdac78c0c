// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// A name people give a device, which every verb takes in its place.
public struct GivenName: Sendable, Hashable, Codable, CustomStringConvertible {
  /// The longest name in bytes of UTF-8.
  public static let maximumLength = 64

  /// The name as it was given.
  public let description: String

  /// Takes `text` as it is: nothing of it is cut off or replaced.
  ///
  /// Throws `AgentError` for what could be taken for something else or cannot be printed: a number, a
  /// `VID:PID`, one with `/` or `@`, with a control character, or with a space at an end.
  public init(_ text: String) throws(AgentError) {
    if let flaw = GivenName.flaw(of: text) {
      throw AgentError(
        .failed, "a device cannot be named that: the name \(flaw)",
        hint: "type another one: devconfig name DEVICE NAME")
    }
    description = text
  }

  private static func flaw(of text: String) -> String? {
    if text.isEmpty { return "is empty" }
    if text.utf8.count > maximumLength { return "has more than \(maximumLength) bytes" }
    if RemoteUser(text).description != text { return "has characters that cannot be printed" }
    if text.first?.isWhitespace == true || text.last?.isWhitespace == true {
      return "has a space at an end"
    }
    if text.contains("/") || text.contains("@") { return "has / or @, which stand before a host" }
    if Int(text) != nil { return "is a number, as IDs are" }
    if isVendorProduct(text) { return "looks like VID:PID" }
    return nil
  }

  private static func isVendorProduct(_ text: String) -> Bool {
    let halves = text.split(separator: ":", omittingEmptySubsequences: false)
    return halves.count == 2 && halves.allSatisfy { $0.count == 4 && $0.allSatisfy(\.isHexDigit) }
  }

  /// True where both name the same device: letter case does not count.
  public func matches(_ other: GivenName) -> Bool {
    description.lowercased() == other.description.lowercased()
  }

  /// Reads a string; throws where it is no name.
  public init(from decoder: any Decoder) throws {
    try self.init(try decoder.singleValueContainer().decode(String.self))
  }

  /// Writes the text.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}
