// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

public import AgentAPI

/// The devices people want attached for good, as they outlast the agent and the machine.
public struct KeptDevices: Sendable, Hashable, Codable {
  /// What is kept of one.
  public struct Entry: Sendable, Hashable, Codable {
    /// For whom it is attached.
    public var user: RemoteUser
    /// The device as it was announced last.
    public var device: RemoteDevice
    /// What came up on its port in its place, until it is back.
    public fileprivate(set) var standIn: RemoteDevice?

    /// Takes both; nothing stands in for it.
    public init(user: RemoteUser, device: RemoteDevice) {
      self.user = user
      self.device = device
    }

    /// What is to be attached: the device, or what stands in for it.
    public var wanted: RemoteDevice { standIn ?? device }
  }

  /// The most devices kept: no machine has more ports.
  public static let maximum = 240

  /// By the key of the device.
  public private(set) var entries: [String: Entry] = [:]

  /// None.
  public init() {}

  /// Keeps a device, or what is announced of it now; returns whether anything changed.
  ///
  /// What stands in for it goes on doing so. Throws `AgentError` where there are too many.
  public mutating func keep(_ entry: Entry) throws(AgentError) -> Bool {
    var entry = entry
    entry.standIn = entries[entry.device.key]?.standIn
    guard entries[entry.device.key] != entry else { return false }
    guard entries[entry.device.key] != nil || entries.count < KeptDevices.maximum else {
      throw AgentError(
        .failed, "\(KeptDevices.maximum) devices are kept already",
        hint: "let go of one that is not needed: devconfig down DEVICE")
    }
    entries[entry.device.key] = entry
    return true
  }

  /// Has `device` stand in for the kept device `key` from now on, or nothing; returns whether that is new.
  public mutating func replace(_ key: String, by device: RemoteDevice?) -> Bool {
    guard let entry = entries[key], entry.standIn != device else { return false }
    entries[key]?.standIn = device
    return true
  }

  /// The kept device that `key` names, or that the device `key` stands in for.
  public func owner(of key: String) -> String? {
    if entries[key] != nil { return key }
    return entries.first { $0.value.standIn?.key == key }?.key
  }

  /// Keeps a device no longer; returns whether it was kept.
  public mutating func release(_ key: String) -> Bool {
    entries.removeValue(forKey: key) != nil
  }
}
