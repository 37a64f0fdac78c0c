// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// What is seen on the LAN, what the reader was told of it, and what to tell next.
///
/// Everything goes through the difference between "seen" and "told", so a daemon's restart or a lost
/// event does no harm. Pure: the loop feeds it.
struct RemoteInventory: Sendable {
  /// The most instances; any machine on the LAN can announce as many as it likes.
  static let maximumInstances = 2048
  /// The most interfaces and protocols of one instance.
  static let maximumPlaces = 32

  /// Where an instance is seen.
  struct Place: Sendable, Hashable, Comparable {
    /// The kernel's interface index.
    let interface: Int32
    /// Avahi's number of the protocol: 0 for IPv4, 1 for IPv6.
    let networkProtocol: Int32

    static func < (left: Place, right: Place) -> Bool {
      (left.networkProtocol, left.interface) < (right.networkProtocol, right.interface)
    }
  }

  /// What a resolver says of an instance at one place.
  struct Resolution: Sendable, Hashable {
    let host: String
    let address: ResolvedAddress?
    let port: UInt16
    let entries: [[UInt8]]
  }

  private enum Sight {
    /// No answer yet.
    case pending
    case resolved(order: UInt64, Resolution)
    /// No answer any more, although nobody said goodbye.
    case silent
  }

  private var seen: [String: [Place: Sight]] = [:]
  private var told: [String: Announcement] = [:]
  private var stale: Set<String> = []
  private var dirty: Set<String> = []
  private var order: UInt64 = 0

  /// The instance is announced at a place; false where a limit forbids to look at it.
  mutating func appeared(_ instance: String, at place: Place) -> Bool {
    guard seen[instance] != nil || seen.count < RemoteInventory.maximumInstances else {
      return false
    }
    var places = seen[instance] ?? [:]
    if places[place] == nil {
      guard places.count < RemoteInventory.maximumPlaces else { return false }
      places[place] = .pending
    }
    seen[instance] = places
    stale.remove(instance)
    return true
  }

  /// A resolver has an answer, the first or a new one.
  mutating func resolved(_ instance: String, at place: Place, to resolution: Resolution) {
    guard seen[instance]?[place] != nil else { return }
    order += 1
    seen[instance]?[place] = .resolved(order: order, resolution)
    dirty.insert(instance)
  }

  /// A resolver has no answer within its time, or none any more.
  ///
  /// A machine without power says no goodbye, and its instances would stay for 75 minutes. But the SRV
  /// record is asked for again before its 120 seconds are over (RFC 6762, 10), so this tells sooner.
  mutating func unresolved(_ instance: String, at place: Place) {
    guard seen[instance]?[place] != nil else { return }
    seen[instance]?[place] = .silent
    dirty.insert(instance)
  }

  /// The instance is not announced at that place any more.
  mutating func vanished(_ instance: String, at place: Place) {
    guard seen[instance]?.removeValue(forKey: place) != nil else { return }
    if seen[instance]?.isEmpty == true { seen[instance] = nil }
    dirty.insert(instance)
  }

  /// The daemon is gone: nothing is seen.
  ///
  /// What was told stays told until `settle`.
  mutating func forget() {
    seen = [:]
    dirty = []
    stale = Set(told.keys)
  }

  /// The time to be seen again is over.
  mutating func settle() {
    dirty.formUnion(stale)
    stale = []
  }

  /// What to tell next, in the order of the names; call `accept` for what was told.
  func changes() -> [DiscoveryEvent] {
    dirty.sorted().compactMap { instance in
      if let announcement = announcement(instance) {
        return announcement == told[instance] ? nil : .found(announcement)
      }
      let isPending = (seen[instance] ?? [:]).values.contains { sight in
        if case .pending = sight { true } else { false }
      }
      guard told[instance] != nil, !isPending, !stale.contains(instance) else { return nil }
      return .lost(instance: instance)
    }
  }

  /// Remembers that the reader was told.
  mutating func accept(_ event: DiscoveryEvent) {
    switch event {
    case .found(let announcement): told[announcement.instance] = announcement
    case .lost(let instance): told[instance] = nil
    case .available, .unavailable, .publishingFailed: break
    }
  }

  /// All of `changes` were told.
  mutating func clean() { dirty = [] }

  /// Joins the places: host, port and record as the latest answer has them, addresses from all.
  private func announcement(_ instance: String) -> Announcement? {
    let answers = (seen[instance] ?? [:]).values.compactMap { sight in
      if case .resolved(let order, let resolution) = sight { (order, resolution) } else { nil }
    }
    guard let latest = answers.max(by: { $0.0 < $1.0 })?.1 else { return nil }
    let addresses = Set(answers.compactMap(\.1.address))
      .sorted { ($0.rank, $0.text) < ($1.rank, $1.text) }
    return Announcement(
      instance: instance, host: RemoteInventory.plainHost(latest.host),
      addresses: addresses.map(\.text), port: latest.port,
      record: RemoteInventory.record(latest.entries))
  }

  private static func record(_ entries: [[UInt8]]) -> Result<TXTRecord, TXTError>? {
    do throws(TXTError) {
      return try TXTRecord.decode(entries: entries).map { .success($0) }
    } catch {
      return .failure(error)
    }
  }

  /// The host's name without the final dot and the domain `local` (RFC 6762, 3).
  private static func plainHost(_ name: String) -> String {
    var labels = PrintableText.kept(name, limit: 255).split(separator: ".")
    if labels.count > 1, labels.last?.lowercased() == "local" { labels.removeLast() }
    return labels.joined(separator: ".")
  }
}
