// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI

/// The JSON of a verb that fails, on standard error.
struct ErrorJSON: Encodable {
  /// What went wrong.
  struct Failure: Encodable {
    /// As in the agent's interface, such as `DeviceInUse`; `NoAgent` where there is none to ask.
    var kind: String
    /// How the program ends.
    var exitStatus: Int32
    var message: String
    /// The next thing to type; `nil` where there is none.
    var hint: String?

    enum CodingKeys: String, CodingKey {
      case kind, message, hint
      case exitStatus = "exit_status"
    }
  }

  var schema = Schema.error
  var error: Failure
  /// The devices that match, for an ambiguous name.
  var candidates: [DeviceStatus]?

  init(_ error: AgentError) {
    self.error = Failure(
      kind: error.kind.rawValue, exitStatus: error.kind.exitCode.rawValue, message: error.message,
      hint: error.hint.isEmpty ? nil : error.hint)
    candidates = error.candidates.isEmpty ? nil : error.candidates
  }

  init(_ absence: AgentAbsence) {
    error = Failure(
      kind: absence.kind, exitStatus: absence.exitCode.rawValue, message: absence.message,
      hint: absence.hint.isEmpty ? nil : absence.hint)
  }
}
