// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI

/// The JSON of `devconfig list` and `devconfig watch`.
enum DeviceJSON {
  struct Document: Encodable {
    var schema = Schema.list
    var devices: [DeviceStatus]
  }

  /// One line.
  static func text(_ devices: [DeviceStatus]) throws(AgentError) -> String {
    try JSONLine.text(Document(devices: devices))
  }
}
