// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// What the kernel calls a device node by: block or character, major and minor number.
struct DeviceNumber: Sendable, Hashable {
  /// The two kinds of nodes, each with numbers of its own.
  enum Kind: Sendable, Hashable {
    case block
    case character
  }

  var kind: Kind
  var major: UInt32
  var minor: UInt32

  init(kind: Kind, major: UInt32, minor: UInt32) {
    self.kind = kind
    self.major = major
    self.minor = minor
  }

  /// Reads `8:17`, as in the sysfs attribute `dev` and in mountinfo.
  init?(kind: Kind, _ text: some StringProtocol) {
    let halves = text.split(separator: ":", omittingEmptySubsequences: false)
    guard halves.count == 2, let major = UInt32(halves[0]), let minor = UInt32(halves[1]) else {
      return nil
    }
    self.init(kind: kind, major: major, minor: minor)
  }
}
