// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI

/// The devices other machines announce, and those they announced a while ago; pure.
public struct RemoteInventory: Sendable {
  /// The most devices kept.
  public static let maximumDevices = 4096
  /// How long a device that is announced no more stays listed as OFFLINE.
  public static let offlineListing = Duration.seconds(600)

  private struct Entry: Sendable {
    var device: RemoteDevice
    /// The name under which it was announced last; one device has one at a time.
    var source: String
    var lostAt: ContinuousClock.Instant?
  }

  private var entries: [String: Entry] = [:]
  /// The key of the device each source announced last; one source announces one device.
  private var keys: [String: String] = [:]

  /// Starts empty.
  public init() {}

  /// Takes a device that is announced by `source`; returns true when anything changed.
  public mutating func found(_ device: RemoteDevice, source: String) -> Bool {
    // A device that moved on its exporter comes back under the same instance with another key.
    if let key = keys[source], key != device.key { drop(key) }
    let before = entries[device.key]
    guard before != nil || entries.count < RemoteInventory.maximumDevices else { return false }
    if let before { keys[before.source] = nil }
    entries[device.key] = Entry(device: device, source: source, lostAt: nil)
    keys[source] = device.key
    return before?.device != device || before?.lostAt != nil
  }

  /// The key of the device that `source` announces at the moment.
  public func key(announcedBy source: String) -> String? {
    guard let key = keys[source], let entry = entries[key], entry.lostAt == nil else { return nil }
    return key
  }

  /// Takes out what `source` announced; it stays listed as OFFLINE for a while.
  public mutating func lost(
    source: String, reason: String, now: ContinuousClock.Instant
  ) -> Bool {
    guard let key = key(announcedBy: source), let device = entries[key]?.device else {
      return false
    }
    entries[key]?.lostAt = now
    entries[key]?.device = device.offline(reason)
    return true
  }

  /// Forgets what has been OFFLINE for long.
  public mutating func expire(now: ContinuousClock.Instant) {
    for (key, entry) in entries {
      if let lostAt = entry.lostAt, now - lostAt >= RemoteInventory.offlineListing { drop(key) }
    }
  }

  private mutating func drop(_ key: String) {
    if let entry = entries.removeValue(forKey: key) { keys[entry.source] = nil }
  }

  /// The device `key`.
  public func device(_ key: String) -> RemoteDevice? { entries[key]?.device }

  /// All devices.
  public var devices: [RemoteDevice] { entries.values.map(\.device) }

  /// The sources that announce something now and begin with `prefix`.
  public func sources(startingWith prefix: String) -> Set<String> {
    Set(entries.values.filter { $0.lostAt == nil && $0.source.hasPrefix(prefix) }.map(\.source))
  }
}
