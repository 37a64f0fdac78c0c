// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

public import AgentAPI

/// The small numbers people type: one per device, given once, kept for good.
public struct DeviceNumbers: Sendable, Hashable, Codable {
  /// What is kept of a device that was numbered.
  public struct Entry: Sendable, Hashable, Codable {
    /// The number.
    public var id: Int
    /// Its own name when it was seen last.
    public var name: String
    /// The name people gave it.
    public var given: GivenName?
    /// The exporter it was on last.
    public var host: String
    /// Its bus ID there when it was numbered or seen last, for a device of this machine.
    public var place: String?
  }

  /// The most devices numbered; past that the one with the lowest number is forgotten, and one with a
  /// name that was given last of all.
  public static let maximum = 10_000
  /// The greatest number a file may bring; far more than are ever given, far less than `Int` holds.
  private static let maximumID = 1_000_000_000

  private var entries: [String: Entry] = [:]
  private var next = 1
  /// Keys that more than one device has been seen with.
  private var ambiguous: Set<String> = []

  /// Starts at 1.
  public init() {}

  /// The number of the device `key`, a new one the first time; `changed` tells what is to be saved.
  public mutating func number(
    _ key: String, name: String, host: String, place: String? = nil
  ) -> (id: Int, changed: Bool) {
    if let entry = entries[key] {
      let changed = entry.name != name || entry.host != host || entry.place != place
      if changed {
        entries[key]?.name = name
        entries[key]?.host = host
        entries[key]?.place = place
      }
      return (entry.id, changed)
    }
    if entries.count >= DeviceNumbers.maximum,
      let oldest = entries.min(by: { DeviceNumbers.worth($0.value) < DeviceNumbers.worth($1.value) }
      )?
      .key
    {
      entries[oldest] = nil
    }
    let id = next
    next += 1
    entries[key] = Entry(id: id, name: name, host: host, place: place)
    return (id, true)
  }

  /// Where the device `key` was seen last.
  public func place(_ key: String) -> String? { entries[key]?.place }

  /// True where several devices were seen with `key` at the same time.
  public func isAmbiguous(_ key: String) -> Bool { ambiguous.contains(key) }

  /// Notes that several devices claim `key` and gives its number to `heir`; returns whether that is new.
  public mutating func split(_ key: String, heir: String?) -> Bool {
    guard ambiguous.count < DeviceNumbers.maximum, ambiguous.insert(key).inserted else {
      return false
    }
    if let heir { _ = move(from: key, to: heir) }
    return true
  }

  /// Has the number of one key under another one that has none; returns whether it did.
  public mutating func move(from old: String, to new: String) -> Bool {
    guard entries[new] == nil, let entry = entries.removeValue(forKey: old) else { return false }
    entries[new] = entry
    return true
  }

  private static func worth(_ entry: Entry) -> (Int, Int) {
    (entry.given == nil ? 0 : 1, entry.id)
  }

  /// The name that was given to the device `key`.
  public func given(_ key: String) -> GivenName? { entries[key]?.given }

  /// Gives the device `key`, which has a number, a name; `nil` takes it back.
  ///
  /// Returns whether anything changed. Throws `AgentError` where another device has the name already.
  public mutating func give(_ name: GivenName?, to key: String) throws(AgentError) -> Bool {
    if let name,
      let holder = entries.first(where: { $0.key != key && $0.value.given?.matches(name) == true })
    {
      throw AgentError(
        .failed, "\(name) is the name of device \(holder.value.id) already",
        hint: "take it back first: devconfig name --remove \(holder.value.id)")
    }
    guard let entry = entries[key], entry.given != name else { return false }
    entries[key]?.given = name
    return true
  }

  private enum CodingKeys: String, CodingKey {
    case entries, next, ambiguous
  }

  /// Reads what was kept; numbers out of range or given twice are left out, none is given again.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    var seen: Set<Int> = []
    var names: Set<String> = []
    for (key, kept) in try container.decode([String: Entry].self, forKey: .entries)
    where (1...DeviceNumbers.maximumID).contains(kept.id) && seen.insert(kept.id).inserted {
      var entry = kept
      if let given = entry.given, !names.insert(given.description.lowercased()).inserted {
        entry.given = nil
      }
      entries[key] = entry
    }
    let kept = try container.decode(Int.self, forKey: .next)
    next = max(1, min(kept, DeviceNumbers.maximumID), (seen.max() ?? 0) + 1)
    let split = (try? container.decodeIfPresent([String].self, forKey: .ambiguous)) ?? []
    ambiguous = Set(split.prefix(DeviceNumbers.maximum))
  }

  /// What is kept of the device with the given name `text`, in whatever letter case.
  public func entry(given text: String) -> Entry? {
    let folded = text.lowercased()
    return entries.values.first { $0.given?.description.lowercased() == folded }
  }

  /// What is kept of the device numbered `id`.
  public func entry(id: Int) -> (key: String, entry: Entry)? {
    entries.first { $0.value.id == id }.map { ($0.key, $0.value) }
  }
}

extension DeviceNumbers.Entry {
  private enum CodingKeys: String, CodingKey {
    case id, name, given, host, place
  }

  /// Reads what was kept; a given name that is none is left out.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    id = try container.decode(Int.self, forKey: .id)
    name = try container.decode(String.self, forKey: .name)
    given = try? container.decodeIfPresent(GivenName.self, forKey: .given)
    host = try container.decode(String.self, forKey: .host)
    place = try? container.decodeIfPresent(String.self, forKey: .place)
  }
}
