// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// A text in which `*` stands for any characters, none included, and `?` for one; letter case does not count.
public struct TextPattern: Sendable, Hashable, CustomStringConvertible {
  /// The longest pattern in bytes.
  public static let maximumLength = 256

  /// As it was written.
  public let description: String
  private let characters: [Character]

  /// Takes `text`; `nil` where it is empty or too long.
  public init?(_ text: String) {
    guard !text.isEmpty, text.utf8.count <= TextPattern.maximumLength else { return nil }
    description = text
    characters = Array(text.lowercased())
  }

  /// True where the whole of `text` is of this form.
  ///
  /// Takes time in proportion to the product of both lengths at most.
  public func matches(_ text: String) -> Bool {
    let text = Array(text.lowercased())
    var (next, at) = (0, 0)
    // The last star seen, and how much of the text it stands for so far.
    var star: (pattern: Int, text: Int)?
    while at < text.count {
      if next < characters.count, characters[next] == "*" {
        star = (next, at)
        next += 1
      } else if next < characters.count, characters[next] == "?" || characters[next] == text[at] {
        next += 1
        at += 1
      } else if let last = star {
        star = (last.pattern, last.text + 1)
        next = last.pattern + 1
        at = last.text + 1
      } else {
        return false
      }
    }
    return characters[next...].allSatisfy { $0 == "*" }
  }
}
