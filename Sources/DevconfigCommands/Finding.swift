// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// One thing `devconfig doctor` looked at.
struct Finding: Hashable, Codable {
  /// What it means.
  enum Rank: String, Codable {
    /// As it should be.
    case good
    /// Worth knowing; nothing fails for it alone.
    case notice
    /// Something does not work because of it.
    case trouble
  }

  var rank: Rank
  /// What was looked at: `avahi`, `vhci_hcd`, `gamma`.
  var subject: String
  /// What was found, one sentence without a full stop.
  var text: String
  /// The command that mends it; `nil` where there is nothing to mend.
  var mend: String?

  init(_ rank: Rank, _ subject: String, _ text: String, mend: String? = nil) {
    self.rank = rank
    self.subject = subject
    self.text = text
    self.mend = mend
  }

  /// For people: one line, and one more with the command.
  var lines: [String] {
    let word =
      switch rank {
      case .good: "ok      "
      case .notice: "notice  "
      case .trouble: "TROUBLE "
      }
    return ["\(word) \(subject): \(text)"] + (mend.map { ["         \($0)"] } ?? [])
  }
}
