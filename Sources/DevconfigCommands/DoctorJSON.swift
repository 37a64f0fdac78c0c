// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI

/// The JSON of `devconfig doctor --json`: keys are only ever added within one schema.
enum DoctorJSON {
  private struct Document: Codable {
    var schema: String
    var findings: [Finding]
  }

  /// One line.
  static func text(_ findings: [Finding]) throws(AgentError) -> String {
    let bytes = try Message.encode(Document(schema: Product.doctorSchema, findings: findings))
    return String(decoding: bytes.dropLast(), as: UTF8.self)
  }
}
