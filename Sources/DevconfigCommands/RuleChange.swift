// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI
internal import LinuxHost
internal import SystemPackage

/// Puts a rule into the agent's configuration and has it followed; undone where the agent cannot read it.
enum RuleChange {
  /// The longest configuration in bytes, as the agent reads it.
  private static let maximumLength = 256 * 1024

  /// What came of a change.
  struct Result {
    /// The device as it is then.
    var device: DeviceStatus
    /// What people should know of how it went, one sentence each.
    var notes: [String]?
    /// The rules that stand in the file, each in one line of YAML.
    var rules: [String]
    /// False where they stood there already.
    var changed: Bool

    /// The JSON of the verb, whose schema this is.
    func json(_ schema: String) throws(AgentError) -> String {
      try JSONLine.text(
        OutcomeJSON(
          schema: schema, device: device, changed: changed, notes: notes, rules: rules))
    }
  }

  /// The device of this machine that `selector` names; another machine's is shared there.
  private static func local(
    _ selector: String, _ client: inout any AgentClient
  ) throws(AgentError) -> DeviceStatus {
    let listed = try client.list()
    var device = try Selector.find(selector, in: listed)
    guard device.isLocal, device.isImported != true else {
      throw AgentError(
        .failed, "\(device.name) is plugged into another machine",
        hint: "type it there; devconfig list shows which one it is")
    }
    // Of two with one serial number only the socket tells which one is meant.
    let twins = listed.count {
      $0.isLocal && $0.isImported != true && $0.serial == device.serial
        && $0.vendorID == device.vendorID && $0.productID == device.productID
    }
    if twins > 1 { device.serial = nil }
    return device
  }

  /// Makes the rule for the device of this machine that `selector` names the first one, and returns what
  /// came of it.
  ///
  /// Throws `AgentError`, and the file is as it was.
  static func make(
    for selector: String, _ client: inout any AgentClient, rule: (DeviceStatus) -> DeviceRule
  ) throws(AgentError) -> Result {
    let device = try local(selector, &client)
    let rule = rule(device)
    let path = FilePath(try client.about().configuration)
    let file = StateFile(path: path, limit: maximumLength, mode: 0o644)
    let before = try content(file)
    var rules = RuleFile(before)
    try rules.put(rule)
    try write(rules.text, file)
    let mistake: String?
    do throws(AgentError) {
      mistake = try client.reload()
    } catch {
      try write(before, file)
      throw error
    }
    if let mistake {
      try write(before, file)
      _ = try client.reload()
      throw AgentError(
        .failed, "the rule cannot be put into \(path), which is as it was: \(mistake)",
        hint: "write it by hand: \(rule.texts.map { "- \($0)" }.joined(separator: ", then "))")
    }
    let after = try client.list().first { $0.id == device.id } ?? device
    return Result(device: after, rules: rule.texts, changed: rules.text != before)
  }

  private static func content(_ file: StateFile) throws(AgentError) -> String {
    do throws(HostError) {
      guard let bytes = try file.read() else { return "" }
      // What is no UTF-8 would not be the same when it is written again.
      guard let text = String(validating: bytes, as: UTF8.self) else {
        throw HostError("read", file.path.string, .illegalByteSequence)
      }
      return text
    } catch {
      throw refused(error, file)
    }
  }

  private static func write(_ text: String, _ file: StateFile) throws(AgentError) {
    do throws(HostError) {
      try file.write(Array(text.utf8))
    } catch {
      throw refused(error, file)
    }
  }

  private static func refused(_ error: HostError, _ file: StateFile) -> AgentError {
    guard error.code == .permissionDenied || error.code == .notPermitted else {
      return AgentError(.failed, "\(file.path) cannot be changed (\(error.code))")
    }
    return AgentError(
      .notPermitted, "only root may change what is shared", hint: "type it as root")
  }
}
