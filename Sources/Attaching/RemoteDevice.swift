// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

public import AgentAPI

/// A device of another machine, as its exporter announces it.
public struct RemoteDevice: Sendable, Hashable, Codable {
  /// What stays the same over replug and reboot: exporter and identity; the key of its ID.
  public var key: String
  /// Who exports it.
  public var exporter: Exporter
  /// What its exporter announces it by; `nil` for a plain peer.
  public var identity: String?
  /// Its bus ID there.
  public var busID: String
  /// Its name for people.
  public var name: String
  /// idVendor, four hexadecimal digits.
  public var vendorID: String
  /// idProduct, four hexadecimal digits.
  public var productID: String
  /// iSerialNumber, where known.
  public var serial: String?
  /// What the exporter says of it: a hint until `up` asks.
  public var state: RemoteState
  /// Who holds it, as announced.
  public var user: RemoteUser
  /// Why it is DENIED.
  public var reason: String?

  /// Takes all parts.
  public init(
    key: String, exporter: Exporter, identity: String? = nil, busID: String, name: String,
    vendorID: String,
    productID: String, serial: String? = nil, state: RemoteState, user: RemoteUser = .nobody,
    reason: String? = nil
  ) {
    self.key = key
    self.exporter = exporter
    self.identity = identity
    self.busID = busID
    self.name = name
    self.vendorID = vendorID
    self.productID = productID
    self.serial = serial
    self.state = state
    self.user = user
    self.reason = reason
  }
}

extension RemoteDevice {
  /// True where `key` names a device of the same exporter and kind by its serial number, and this one
  /// is known by its place.
  public func isAnotherForm(of key: String) -> Bool {
    guard let identity, let agent = exporter.agent, identity == "\(vendorID):\(productID)@\(busID)"
    else { return false }
    return key.hasPrefix("\(agent)/\(vendorID):\(productID)/")
  }

  /// Why a device is OFFLINE that is announced no more.
  public static let notAnnounced = "its exporter does not announce it now"

  /// The same while it is not there, for `reason`.
  public func offline(_ reason: String) -> RemoteDevice {
    var device = self
    device.state = .offline
    device.user = .nobody
    device.reason = reason
    return device
  }
}
