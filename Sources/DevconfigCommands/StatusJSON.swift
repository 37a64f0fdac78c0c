// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI

/// The JSON of `devconfig status`.
enum StatusJSON {
  struct Document: Encodable {
    var schema = Schema.status
    var devices: [DeviceReport]
    var mistake: String?
    var controllers: [ControllerReport]?
  }

  /// One line.
  static func text(_ results: AgentCalls.StatusResults) throws(AgentError) -> String {
    try JSONLine.text(
      Document(
        devices: results.devices, mistake: results.mistake, controllers: results.controllers))
  }
}
