// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// An address of an exporter, and how much it is worth a try.
struct ResolvedAddress: Sendable, Hashable {
  /// What is tried first has the smaller number.
  enum Rank: Int, Sendable, Comparable {
    case internet
    case internet6
    case linkLocal
    case linkLocal6
    case loopback

    static func < (left: Rank, right: Rank) -> Bool { left.rawValue < right.rawValue }
  }

  /// In numbers, with the scope behind an IPv6 link-local one.
  let text: String
  /// Its worth.
  let rank: Rank

  /// Reads the four bytes of IPv4 or the sixteen of IPv6 in network order; `nil` for another count.
  ///
  /// `text` is the address in numbers, `scope` the interface.
  init?(bytes: [UInt8], text: String, scope: String) {
    switch bytes.count {
    case 4:
      self.text = text
      switch (bytes[0], bytes[1]) {
      case (127, _): rank = .loopback
      case (169, 254): rank = .linkLocal  // RFC 3927
      default: rank = .internet
      }
    case 16:
      if bytes[0] == 0xFE && bytes[1] & 0xC0 == 0x80 {  // RFC 4291, 2.5.6
        self.text = "\(text)%\(scope)"
        rank = .linkLocal6
      } else {
        self.text = text
        rank = bytes.dropLast().allSatisfy({ $0 == 0 }) && bytes[15] == 1 ? .loopback : .internet6
      }
    default:
      return nil
    }
  }
}
