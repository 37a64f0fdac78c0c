// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI

/// The rules that `share` or `unshare` writes for one device.
struct DeviceRule: Hashable {
  /// The verb that writes them: its name stands behind each.
  let verb: String
  private let effect: String
  /// What names the device: `vendor: "04b8", product: "0005", serial: "L72P010"`.
  let device: String
  private let company: String

  /// Shares `device` with these users and hosts, with everybody where there is none.
  init(sharing device: DeviceStatus, users: [String], hosts: [String]) {
    verb = "share"
    effect = "allow"
    self.device = DeviceRule.name(device)
    company = DeviceRule.list("user", users) + DeviceRule.list("host", hosts)
  }

  /// Shares `device` with nobody.
  init(keeping device: DeviceStatus) {
    verb = "unshare"
    effect = "deny"
    self.device = DeviceRule.name(device)
    company = ""
  }

  /// The rules in order, each in one line of YAML.
  ///
  /// What is shared with some has to be kept from the others, because what no rule is about is shared.
  var texts: [String] {
    let first = "\(effect): {\(device)\(company)}"
    return company.isEmpty ? [first] : [first, "deny: {\(device)}"]
  }

  /// Vendor, product and serial number, or else the place; what a rule would take for a pattern is left out.
  private static func name(_ device: DeviceStatus) -> String {
    let kind = "vendor: \"\(device.vendorID)\", product: \"\(device.productID)\""
    if let serial = device.serial, isPlain(serial) { return "\(kind), serial: \(quoted(serial))" }
    return "\(kind), port: \"\(device.busID)\""
  }

  private static func isPlain(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.count <= 200
      && text.unicodeScalars.allSatisfy { $0.isASCII && $0.value >= 0x20 && $0.value != 0x7F }
      && !text.contains { "*?".contains($0) }
  }

  private static func list(_ key: String, _ values: [String]) -> String {
    values.isEmpty ? "" : ", \(key): [\(values.map(quoted).joined(separator: ", "))]"
  }

  /// A double-quoted scalar (YAML 1.2, 7.3.1).
  private static func quoted(_ text: String) -> String {
    let escaped = text.map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : String($0) }.joined()
    return "\"\(escaped)\""
  }
}
