// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

extension StringProtocol {
  /// The text without white space, line ends and NULs at both ends.
  func trimmingASCIISpace() -> SubSequence {
    func isSpace(_ character: Character) -> Bool {
      switch character {
      case " ", "\t", "\n", "\r", "\r\n", "\0": return true
      default: return false
      }
    }
    guard let first = firstIndex(where: { !isSpace($0) }),
      let last = lastIndex(where: { !isSpace($0) })
    else { return self[endIndex..<endIndex] }
    return self[first...last]
  }
}
