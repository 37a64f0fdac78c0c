// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import LinuxHost
internal import PacketFilter

/// Whether this machine's packet filter lets others reach what the agent listens on.
struct Reachability {
  let survey: HostSurvey
  /// The agent's TCP port.
  let port: UInt16

  /// What has to get through: TCP to the agent, and the questions and answers of mDNS.
  private var subjects: [(what: String, packets: [Packet])] {
    let names = survey.interfaces
    return [
      (
        "TCP port \(port)",
        Packet.Family.allCases.map { Packet(.tcp, port: port, family: $0, interfaces: names) }
      ),
      (
        "UDP port 5353 (mDNS)",
        Packet.Family.allCases.map { .multicastDNS($0, interfaces: names) }
      ),
    ]
  }

  /// One finding for each thing that does not get through, or one for all.
  var findings: [Finding] { judged + older }

  private var judged: [Finding] {
    switch survey.packetRules {
    case .none:
      return unseen
    case .hidden:
      return unseen.isEmpty
        ? [
          notice(
            "only root can see whether it keeps others from TCP port \(port) and UDP port 5353",
            mend: "as root: devconfig doctor")
        ] : unseen
    case .untold:
      return [
        notice(
          "there may be rules, which cannot be read without nft", mend: "apt install nftables")
      ]
    case .failed:
      return [notice("nft does not tell its rules", mend: "nft list ruleset shows why")]
    case .listed(let text):
      guard let filter = try? PacketFilter(json: text) else {
        return [
          notice("what nft tells is not understood", mend: "nft list ruleset shows its rules")
        ]
      }
      let found = subjects.flatMap { judge(filter, $0.what, $0.packets) }
      guard found.isEmpty else { return found }
      return [
        Finding(
          .good, "firewall", "it lets others reach TCP port \(port) and UDP port 5353")
      ]
    }
  }

  /// What the front ends' own files tell, where the rules themselves cannot be seen.
  private var unseen: [Finding] {
    switch survey.firewall {
    case nil: []
    case .firewalld?:
      [
        notice(
          "firewalld runs: TCP port \(port) and mDNS have to be open",
          mend: "\(opening(.tcp, port)) && \(opening(.udp, 5353))")
      ]
    case .ufw(opensPort: true)?:
      [Finding(.good, "firewall", "ufw lets others reach TCP port \(port)")]
    case .ufw(opensPort: false)?:
      [
        Finding(
          .trouble, "firewall", "ufw is on and keeps others from TCP port \(port)",
          mend: opening(.tcp, port))
      ]
    case .ufw(opensPort: nil)?:
      [
        notice(
          "ufw is on; only root can see whether TCP port \(port) is open",
          mend: "as root: devconfig doctor")
      ]
    }
  }

  private var older: [Finding] {
    guard survey.hasOlderRules else { return [] }
    return [
      notice(
        "there may be rules of the older ip_tables too, which are not looked at",
        mend: "iptables-legacy -S INPUT shows them")
    ]
  }

  /// One finding at most: the worse of both versions of IP.
  private func judge(_ filter: PacketFilter, _ what: String, _ packets: [Packet]) -> [Finding] {
    var blocked: [(Packet, Fate.Place)] = []
    var unsure: [(Packet, Fate.Place)] = []
    for packet in packets {
      switch filter.fate(of: packet) {
      case .passes: break
      case .blocked(let place): blocked.append((packet, place))
      case .unsure(let place): unsure.append((packet, place))
      }
    }
    if let (packet, place) = blocked.first {
      let version = blocked.count == packets.count ? "" : " over \(packet.family.rawValue)"
      return [
        Finding(
          // Without one version of IP the other is still a way.
          blocked.count == packets.count ? .trouble : .notice, "firewall",
          "the chain \(place.chain) of \(place.family) \(place.table) keeps others from \(what)"
            + version,
          mend: mend(packet, place))
      ]
    }
    guard let (packet, place) = unsure.first else { return [] }
    return [
      notice(
        "whether the chain \(place.chain) of \(place.family) \(place.table) lets others reach \(what) "
          + "depends on more than the port",
        mend: mend(packet, place))
    ]
  }

  /// The command of whoever made the rules; one of nft lasts until the next boot only.
  private func mend(_ packet: Packet, _ place: Fate.Place) -> String {
    let (kind, port) = (packet.transport.rawValue, packet.port)
    if survey.firewall != nil { return opening(packet.transport, port) }
    // The names that iptables-nft gives its tables and chains.
    if place.family != "inet", place.table == "filter", place.chain == "INPUT" {
      let program = place.family == "ip" ? "iptables" : "ip6tables"
      return "\(program) -I INPUT -p \(kind) --dport \(port) -j ACCEPT"
    }
    return
      "nft insert rule \(place.family) \(place.table) \(place.chain) \(kind) dport \(port) accept"
  }

  /// What a front end calls opening a port.
  private func opening(_ transport: Packet.Transport, _ port: UInt16) -> String {
    let place = "\(port)/\(transport.rawValue)"
    guard survey.firewall == .firewalld else { return "ufw allow \(place)" }
    return "firewall-cmd --permanent --add-port=\(place) && firewall-cmd --reload"
  }

  private func notice(_ text: String, mend: String) -> Finding {
    Finding(.notice, "firewall", text, mend: mend)
  }
}
