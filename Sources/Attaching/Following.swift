// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// Tells which device stands in for a kept one that came back as another, as in a firmware update; pure.
///
/// The loss and the announcements come over different ways and in any order.
struct Following: Sendable {
  /// The longest time between the loss of a device and the announcement of what it became.
  static let limit = Duration.seconds(30)

  private var lostAt: ContinuousClock.Instant?
  private var other: (device: RemoteDevice, since: ContinuousClock.Instant)?
  /// True where the kept device itself was announced after the other one.
  private var isOwnBack = false

  /// True where the device that was announced on the port last still is, and is `key`.
  func isThere(_ key: String) -> Bool { other?.device.key == key }

  /// The connection to the kept device, or to what stands in for it, was lost.
  mutating func lost(at now: ContinuousClock.Instant) { lostAt = now }

  /// Another device is announced on the port.
  mutating func announced(_ device: RemoteDevice, at now: ContinuousClock.Instant) {
    if other?.device.key == device.key {
      other?.device = device
    } else {
      other = (device, now)
      isOwnBack = false
    }
  }

  /// The device `key` is announced no more.
  mutating func withdrawn(_ key: String) {
    if isThere(key) { other = nil }
  }

  /// The kept device itself is announced.
  mutating func ownAnnounced() { isOwnBack = true }

  /// The exporter says that the kept device is not there, whatever was announced.
  mutating func ownAbsent() { isOwnBack = false }

  /// The device that stands in; `nil` where the kept one itself is to be attached.
  var candidate: RemoteDevice? {
    guard let lostAt, let other, !isOwnBack else { return nil }
    let apart = lostAt.duration(to: other.since)
    return apart <= Following.limit && apart >= .zero - Following.limit ? other.device : nil
  }
}

extension RemoteDevice {
  /// True where `other` is another kind of device on the same port of the same exporter.
  ///
  /// Only agents announce in time, and only their bus IDs are told apart from those of other machines.
  func isReplaced(by other: RemoteDevice) -> Bool {
    guard let agent = exporter.agent, agent == other.exporter.agent else { return false }
    return busID == other.busID && key != other.key
      && (vendorID, productID) != (other.vendorID, other.productID)
  }
}
