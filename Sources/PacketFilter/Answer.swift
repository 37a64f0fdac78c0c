// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// Whether something holds for a packet of which not everything is known.
enum Answer {
  case yes, maybe, no

  /// Both hold.
  func and(_ other: Answer) -> Answer {
    if self == .no || other == .no { return .no }
    return self == .yes && other == .yes ? .yes : .maybe
  }

  /// One of them holds.
  func or(_ other: Answer) -> Answer {
    if self == .yes || other == .yes { return .yes }
    return self == .no && other == .no ? .no : .maybe
  }

  /// It does not hold.
  var opposite: Answer {
    switch self {
    case .yes: .no
    case .maybe: .maybe
    case .no: .yes
    }
  }

  init(_ value: Bool) { self = value ? .yes : .no }
}
