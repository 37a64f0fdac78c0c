// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// The small numbers people type: one per device, given once, kept for good.
public struct DeviceNumbers: Sendable, Hashable, Codable {
  /// What is kept of a device that was numbered.
  public struct Entry: Sendable, Hashable, Codable {
    /// The number.
    public var id: Int
    /// The name it had last.
    public var name: String
    /// The exporter it was on last.
    public var host: String
  }

  /// The most devices numbered; past that the one with the lowest number is forgotten.
  public static let maximum = 10_000
  /// The greatest number a file may bring; far more than are ever given, far less than `Int` holds.
  private static let maximumID = 1_000_000_000

  private var entries: [String: Entry] = [:]
  private var next = 1

  /// Starts at 1.
  public init() {}

  /// The number of the device `key`, a new one the first time; `changed` tells what is to be saved.
  public mutating func number(
    _ key: String, name: String, host: String
  ) -> (id: Int, changed: Bool) {
    if let entry = entries[key] {
      let changed = entry.name != name || entry.host != host
      if changed { entries[key] = Entry(id: entry.id, name: name, host: host) }
      return (entry.id, changed)
    }
    if entries.count >= DeviceNumbers.maximum,
      let oldest = entries.min(by: { $0.value.id < $1.value.id })?.key
    {
      entries[oldest] = nil
    }
    let id = next
    next += 1
    entries[key] = Entry(id: id, name: name, host: host)
    return (id, true)
  }

  private enum CodingKeys: String, CodingKey {
    case entries, next
  }

  /// Reads what was kept; numbers out of range or given twice are left out, none is given again.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    var seen: Set<Int> = []
    for (key, entry) in try container.decode([String: Entry].self, forKey: .entries)
    where (1...DeviceNumbers.maximumID).contains(entry.id) && seen.insert(entry.id).inserted {
      entries[key] = entry
    }
    let kept = try container.decode(Int.self, forKey: .next)
    next = max(1, min(kept, DeviceNumbers.maximumID), (seen.max() ?? 0) + 1)
  }

  /// What is kept of the device numbered `id`.
  public func entry(id: Int) -> (key: String, entry: Entry)? {
    entries.first { $0.value.id == id }.map { ($0.key, $0.value) }
  }
}
