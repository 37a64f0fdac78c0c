// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import USBModel

/// The lasting keys of this machine's devices: agent and identity, with the bus ID for a serial that
/// several devices claim, now or once.
struct LocalKeys {
  private var identities: [BusID: String] = [:]
  private let agent: String

  /// `isAmbiguous` tells of a key that more than one device has been seen with; devices of `keeping`
  /// go by their serials all the same.
  init(
    agent: String, devices: [Device], keeping: Set<BusID> = [],
    isAmbiguous: (String) -> Bool = { _ in false }
  ) {
    self.agent = agent
    let groups = Dictionary(grouping: devices, by: \.identity)
    for device in devices {
      let isUnique = groups[device.identity]?.count == 1 || keeping.contains(device.busID)
      let known = LocalKeys.key(agent: agent, identity: device.identity)
      identities[device.busID] =
        isUnique && !isAmbiguous(known) ? device.identity : device.placeIdentity
    }
  }

  /// What the announcement calls `id`.
  func identity(_ busID: BusID) -> String { identities[busID] ?? "\(busID)" }

  /// The key of the device on this and every other machine.
  subscript(_ busID: BusID) -> String { LocalKeys.key(agent: agent, identity: identity(busID)) }

  /// Joins the lasting name of an exporter's agent and the identity it announces.
  static func key(agent: String, identity: String) -> String { "\(agent)/\(identity)" }
}
