// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI

/// The JSON of `devconfig list --json`: keys are only ever added within one schema.
enum DeviceJSON {
  private struct Document: Codable {
    var schema: String
    var devices: [DeviceStatus]
  }

  /// One line.
  static func text(_ devices: [DeviceStatus]) throws(AgentError) -> String {
    let bytes = try Message.encode(Document(schema: Product.listSchema, devices: devices))
    return String(decoding: bytes.dropLast(), as: UTF8.self)
  }
}
