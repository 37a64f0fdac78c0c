// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI
internal import Attaching
internal import Discovery
internal import SharePolicy
internal import Sharing
internal import USBModel

/// Turns shared devices into announcements, and announcements into remote devices.
enum Publication {
  /// What this machine announces: every device that could be shared at some time, with its state, under
  /// the name it was given here.
  static func announcements(
    _ devices: [SharedDevice], keys: LocalKeys, names: [BusID: GivenName] = [:], agent: String,
    port: UInt16
  ) -> [PublishedDevice] {
    return devices.filter(\.isAnnounced).compactMap { shared in
      let device = shared.device
      // An identity that does not fit a TXT record cannot be announced; it stays in `list` here.
      let record = try? TXTRecord(
        busID: device.busID, id: keys.identity(device.busID),
        vendorProduct: device.vendorProduct, classCode: device.classCode,
        state: state(shared.state), user: shared.user.description, agent: agent,
        name: names[device.busID]?.description ?? device.name, reason: shared.denial?.reason)
      return record.map { PublishedDevice(port: port, record: $0) }
    }
  }

  /// The device of an announcement by one of our agents; `nil` for anything else.
  static func remote(_ announcement: Announcement) -> RemoteDevice? {
    guard case .success(let record)? = announcement.record, !announcement.addresses.isEmpty else {
      return nil
    }
    let exporter = Exporter(
      host: announcement.host, addresses: announcement.addresses, port: announcement.port,
      agent: record.agent)
    return RemoteDevice(
      key: LocalKeys.key(agent: record.agent, identity: record.id), exporter: exporter,
      identity: record.id, busID: record.busID.description,
      name: record.name,
      vendorID: VendorProduct.hex(record.vendorProduct.vendor),
      productID: VendorProduct.hex(record.vendorProduct.product),
      serial: serial(in: record.id),
      state: RemoteState(rawValue: record.state.rawValue) ?? .available,
      user: RemoteUser(record.user),
      reason: record.reason)
  }

  private static func state(_ state: RemoteState) -> TXTRecord.State {
    TXTRecord.State(rawValue: state.rawValue) ?? .denied
  }

  /// The serial number inside an identity of the form `vid:pid/serial`.
  private static func serial(in identity: String) -> String? {
    guard let slash = identity.firstIndex(of: "/") else { return nil }
    return String(identity[identity.index(after: slash)...])
  }
}
