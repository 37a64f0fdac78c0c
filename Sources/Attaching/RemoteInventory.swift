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

  /// Starts empty.
  public init() {}

  /// Takes a device that is announced by `source`; returns true when anything changed.
  public mutating func found(_ device: RemoteDevice, source: String) -> Bool {
    // A device that moved on its exporter comes back under the same instance with another key.
    for (key, entry) in entries where entry.source == source && key != device.key {
      entries[key] = nil
    }
    guard entries[device.key] != nil || entries.count < RemoteInventory.maximumDevices else {
      return false
    }
    let before = entries[device.key]
    entries[device.key] = Entry(device: device, source: source, lostAt: nil)
    return before?.device != device || before?.lostAt != nil
  }

  /// Takes out what `source` announced; it stays listed as OFFLINE for a while.
  public mutating func lost(
    source: String, reason: String, now: ContinuousClock.Instant
  ) -> Bool {
    var changed = false
    for (key, entry) in entries where entry.source == source && entry.lostAt == nil {
      entries[key]?.lostAt = now
      entries[key]?.device.state = .offline
      entries[key]?.device.user = .nobody
      entries[key]?.device.reason = reason
      changed = true
    }
    return changed
  }

  /// Forgets what has been OFFLINE for long.
  public mutating func expire(now: ContinuousClock.Instant) {
    entries = entries.filter { _, entry in
      guard let lostAt = entry.lostAt else { return true }
      return now - lostAt < RemoteInventory.offlineListing
    }
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
