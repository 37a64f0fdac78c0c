// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// The rules of the kernel's packet filter, as `nft -j list ruleset` tells them (libnftables-json(5)).
///
/// Rules of iptables-nft, firewalld and ufw are among them.
public struct PacketFilter: Sendable {
  /// The most bytes of a ruleset that are read.
  public static let maximumLength = 4 << 20

  /// What is unique within a ruleset.
  struct Name: Hashable {
    var family: String
    var table: String
    var name: String
  }

  struct Chain {
    /// Where packets enter it; `nil` for a chain that others jump to.
    var hook: String?
    var type: String?
    var priority = 0
    /// True where a packet that no rule decided about is dropped.
    var isDropping = false
    /// The statements of each rule.
    var rules: [[JSONValue]] = []
  }

  private(set) var chains: [Name: Chain] = [:]
  /// The elements of sets; those of maps are pairs.
  private(set) var sets: [Name: [JSONValue]] = [:]

  /// Reads the whole text; throws `PacketFilterError`.
  ///
  /// What a later nft adds is left out.
  public init(json: some Collection<UInt8>) throws(PacketFilterError) {
    guard json.count <= PacketFilter.maximumLength else { throw .tooLong }
    let document = try JSONReader.read(Array(json))
    guard let items = document["nftables"]?.array else { throw .malformed }
    var dormant: Set<Name> = []
    for item in items {
      guard let (kind, value) = item.single else { continue }
      switch kind {
      case "table":
        guard let name = PacketFilter.name(value, "name", table: "name") else { continue }
        let flags = value["flags"].map { $0.array ?? [$0] } ?? []
        if flags.contains(.string("dormant")) { dormant.insert(name) }
      case "chain":
        guard let name = PacketFilter.name(value, "name") else { continue }
        chains[name, default: Chain()].hook = value["hook"]?.string
        chains[name]?.type = value["type"]?.string
        chains[name]?.priority = value["prio"]?.number ?? 0
        chains[name]?.isDropping = value["policy"]?.string == "drop"
      case "rule":
        guard let name = PacketFilter.name(value, "chain") else { continue }
        chains[name, default: Chain()].rules.append(value["expr"]?.array ?? [])
      case "set", "map":
        guard let name = PacketFilter.name(value, "name") else { continue }
        sets[name] = value["elem"]?.array ?? []
      default:
        continue
      }
    }
    chains = chains.filter { chain, _ in
      !dormant.contains(Name(family: chain.family, table: chain.table, name: chain.table))
    }
  }

  /// What becomes of `packet`.
  public func fate(of packet: Packet) -> Fate {
    let families = ["inet", packet.family == .ipv4 ? "ip" : "ip6"]
    let bases = chains.filter { name, chain in
      families.contains(name.family) && chain.type == "filter"
        && (chain.hook == "input" || chain.hook == "prerouting")
    }
    var doubt: Fate.Place?
    // Of one hook after the other, and within one by priority; names only to be the same each time.
    for (name, chain) in bases.sorted(by: { PacketFilter.order($0) < PacketFilter.order($1) }) {
      let place = Fate.Place(family: name.family, table: name.table, chain: name.name)
      var passage = Passage(filter: self, packet: packet, family: name.family, table: name.table)
      var outcome = passage.outcome(of: name.name)
      if outcome.contains(.onward) {
        outcome.remove(.onward)
        outcome.insert(chain.isDropping ? .dropped : .accepted)
      }
      if outcome == .dropped { return .blocked(place) }
      if outcome.contains(.dropped), doubt == nil { doubt = place }
    }
    return doubt.map { .unsure($0) } ?? .passes
  }

  private static func order(_ base: (key: Name, value: Chain)) -> (Int, Int, String) {
    (base.value.hook == "input" ? 1 : 0, base.value.priority, "\(base.key)")
  }

  private static func name(
    _ value: JSONValue, _ member: String, table: String = "table"
  ) -> Name? {
    guard let family = value["family"]?.string, let table = value[table]?.string,
      let name = value[member]?.string
    else { return nil }
    return Name(family: family, table: table, name: name)
  }
}
