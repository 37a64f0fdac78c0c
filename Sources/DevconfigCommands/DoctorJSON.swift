// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI

/// The JSON of `devconfig doctor`.
enum DoctorJSON {
  struct Document: Encodable {
    var schema = Schema.doctor
    var findings: [Finding]
  }

  /// One line.
  static func text(_ findings: [Finding]) throws(AgentError) -> String {
    try JSONLine.text(Document(findings: findings))
  }
}
