// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import USBModel

/// The lasting keys of this machine's devices: agent and identity, with the bus ID where two devices
/// claim the same identity.
struct LocalKeys {
  private var identities: [BusID: String] = [:]
  private let agent: String

  init(agent: String, devices: [Device]) {
    self.agent = agent
    let groups = Dictionary(grouping: devices, by: \.identity)
    for device in devices {
      let isUnique = groups[device.identity]?.count == 1
      identities[device.busID] =
        isUnique ? device.identity : "\(device.vendorProduct)@\(device.busID)"
    }
  }

  /// What the announcement calls `id`.
  func identity(_ busID: BusID) -> String { identities[busID] ?? "\(busID)" }

  /// The key of the device on this and every other machine.
  subscript(_ busID: BusID) -> String { LocalKeys.key(agent: agent, identity: identity(busID)) }

  /// Joins the lasting name of an exporter's agent and the identity it announces.
  static func key(agent: String, identity: String) -> String { "\(agent)/\(identity)" }
}
