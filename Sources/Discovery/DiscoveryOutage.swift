// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// Why announcements do not work just now, or one of them does not; the text is Avahi's.
public enum DiscoveryOutage: Error, Sendable, Hashable, CustomStringConvertible {
  /// The system bus cannot be reached.
  case noBus(String)
  /// avahi-daemon is not there, and its start is waited for.
  case daemonAbsent
  /// avahi-daemon or the system bus was there and went away.
  case disconnected
  /// Anything else; `code` is a negative number of avahi-common/error.h.
  case failure(code: Int32, text: String)

  /// A sentence for people.
  public var description: String {
    switch self {
    case .noBus(let text): "the system bus cannot be reached: \(text)"
    case .daemonAbsent: "avahi-daemon is not running"
    case .disconnected: "avahi-daemon went away"
    case .failure(_, let text): "avahi: \(text)"
    }
  }
}
