// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// What the exporter says of a device (section 3.3 of the 2005 USB/IP paper, Figure 6).
public enum RemoteState: String, Sendable, Hashable, Codable {
  /// Free for anybody who may use it.
  case available = "AVAIL"
  /// Somebody has it; `remote_user` says who.
  case inUse = "INUSE"
  /// Its exporter does not announce it any more.
  case offline = "OFFLINE"
  /// Its exporter keeps it; the reason says why.
  case denied = "DENIED"
}

/// What this machine has done with a device (Figure 6 of the paper).
public enum LocalState: String, Sendable, Hashable, Codable {
  /// Not attached here.
  case detached = "DISCONN_DONE"
  /// Being attached.
  case attaching = "CONN_WAIT"
  /// Attached and usable.
  case attached = "CONN_DONE"
  /// Being detached.
  case detaching = "DISCONN_WAIT"
  /// Lost, and to be attached again.
  case retrying = "CONN_RETRY"
}

/// The virtual bus a device comes over; the paper plans for several.
public enum RemoteModule: String, Sendable, Hashable, Codable {
  case usbip = "USBIP"
}

/// Who holds a device: `user@host`, or `NOBODY`.
public struct RemoteUser: Sendable, Hashable, Codable, CustomStringConvertible {
  /// The word for "nobody holds it".
  public static let nobody = RemoteUser("NOBODY")
  /// The longest text in bytes that is kept of what a peer claims.
  public static let maximumLength = 128

  /// The text, printable and bounded.
  public let description: String

  /// Keeps printable characters of `text` only, `maximumLength` bytes at most; empty becomes `NOBODY`.
  public init(_ text: some StringProtocol) {
    description = RemoteUser.printable(text, atMost: RemoteUser.maximumLength) ?? "NOBODY"
  }

  /// The printable characters at the start of `text`, `limit` bytes at most; `nil` where there are none.
  public static func printable(_ text: some StringProtocol, atMost limit: Int) -> String? {
    var kept = String.UnicodeScalarView()
    var length = 0
    for scalar in text.unicodeScalars where isPrintable(scalar) {
      length += UTF8.width(scalar)
      guard length <= limit else { break }
      kept.append(scalar)
    }
    return kept.isEmpty ? nil : String(kept)
  }

  /// The user's name, without the host.
  public var name: String { at.map { String(description[..<$0]) } ?? description }

  /// The host's name; `nil` where the text has none.
  public var host: String? { at.map { String(description[$0...].dropFirst()) } }

  private var at: String.Index? { description.lastIndex(of: "@") }

  /// Joins a user's and a host's name.
  public init(user: String, host: String) {
    self.init("\(user)@\(host)")
  }

  /// True when nobody holds the device.
  public var isNobody: Bool { description == "NOBODY" }

  /// Reads a string.
  public init(from decoder: any Decoder) throws {
    self.init(try decoder.singleValueContainer().decode(String.self))
  }

  /// Writes the text.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }

  /// True for what shows as a character of its own and steers no terminal.
  private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator,
      .paragraphSeparator:
      return false
    default:
      return true
    }
  }
}
