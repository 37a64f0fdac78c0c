// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI

/// The JSON of `devconfig status --json`: keys are only ever added within one schema.
enum StatusJSON {
  private struct Document: Codable {
    var schema: String
    var devices: [DeviceReport]
    var mistake: String?
  }

  /// One line.
  static func text(_ results: AgentCalls.StatusResults) throws(AgentError) -> String {
    let bytes = try Message.encode(
      Document(
        schema: Product.statusSchema, devices: results.devices, mistake: results.mistake))
    return String(decoding: bytes.dropLast(), as: UTF8.self)
  }
}
