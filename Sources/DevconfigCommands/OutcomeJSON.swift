// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI

/// The JSON of the verbs that bring one device into a state, or wait for that.
struct OutcomeJSON: Encodable {
  var schema: String
  /// The device as it is now.
  var device: DeviceStatus
  /// False where it was so already; `nil` for `wait`, which changes nothing.
  var changed: Bool?
  /// What people should know of how it went, one sentence each.
  var notes: [String]?
  /// The rules that were written, for `share` and `unshare`.
  var rules: [String]?

  /// What a verb of `schema` has done.
  static func text(_ schema: String, _ outcome: AgentCalls.Outcome) throws(AgentError) -> String {
    try JSONLine.text(
      OutcomeJSON(
        schema: schema, device: outcome.device, changed: outcome.changed, notes: outcome.notes))
  }
}
