// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// What `devconfig status` shows of one device.
public struct DeviceReport: Sendable, Hashable, Codable {
  /// Where a device of another machine is attached on this one.
  public struct Attachment: Sendable, Hashable, Codable {
    /// The port of vhci_hcd, once chosen.
    public var port: Int?
    /// Its bus ID on this machine, once usable.
    public var localBusID: String?
    /// Takes both.
    public init(port: Int?, localBusID: String?) {
      self.port = port
      self.localBusID = localBusID
    }

    enum CodingKeys: String, CodingKey {
      case port
      case localBusID = "local_busid"
    }
  }

  /// The device and its states.
  public var device: DeviceStatus
  /// Since when it is in use, in seconds since 1970; for a device that this machine exports.
  public var since: Int?
  /// Where it is attached here.
  public var attachment: Attachment?
  /// What its session has counted.
  public var traffic: Traffic?
  /// Why there is no `traffic`, or what else there is to know, in words for people.
  public var note: String?

  /// Takes all parts.
  public init(
    device: DeviceStatus, since: Int? = nil, attachment: Attachment? = nil,
    traffic: Traffic? = nil, note: String? = nil
  ) {
    self.device = device
    self.since = since
    self.attachment = attachment
    self.traffic = traffic
    self.note = note
  }
}
