// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI
internal import SharePolicy
internal import Yams

/// What people may set in `/etc/devconfig/devconfig.yaml` (devconfig.yaml(5)).
struct Configuration: Sendable, Hashable {
  /// One exporter that announces nothing.
  struct Peer: Sendable, Hashable {
    /// A host name or an address in numbers.
    var host: String
    /// Its TCP port.
    var port: UInt16
  }

  /// The TCP port other machines reach this one on.
  var port: UInt16 = Product.port
  /// Exporters that announce nothing, such as a stock `usbipd`.
  var peers: [Peer] = []
  /// Which devices are shared, and with whom; the first that matches decides.
  var rules: [ShareRule] = []

  /// The longest file in bytes.
  static let maximumLength = 256 * 1024
  /// The most peers that are asked in turn.
  static let maximumPeers = 64

  /// All defaults.
  init() {}

  /// A mistake in the file: where, and what is allowed there.
  struct Mistake: Error, Hashable, CustomStringConvertible {
    /// Counted from 1; `nil` where the file as a whole is wrong.
    var line: Int?
    /// What is wrong and what is allowed.
    var message: String

    /// `line 3: …`.
    var description: String { line.map { "line \($0): \(message)" } ?? message }
  }

  /// Reads YAML; throws `Mistake` naming line, key and allowed values.
  init(yaml: String) throws(Mistake) {
    try Configuration.checkAliases(yaml)
    let root: Node?
    do {
      root = try Yams.compose(yaml: yaml)
    } catch {
      throw Configuration.mistake(error)
    }
    guard let root, root != Node(""), root.null == nil else { return }
    guard let mapping = root.mapping else {
      throw Mistake(line: root.mark?.line, message: "expected keys: port, peers, rules")
    }
    for (key, value) in mapping {
      switch key.string {
      case "port": port = try Configuration.port(value)
      case "peers": peers = try Configuration.peers(value)
      case "rules": rules = try Configuration.rules(value)
      default:
        throw Mistake(
          line: key.mark?.line,
          message: "unknown key \(key.string ?? "?"); allowed are port, peers and rules")
      }
    }
  }

  private static func port(_ node: Node) throws(Mistake) -> UInt16 {
    guard let number = node.int, let port = UInt16(exactly: number), port > 0 else {
      throw Mistake(line: node.mark?.line, message: "port: a number from 1 to 65535 is needed")
    }
    return port
  }

  private static func peers(_ node: Node) throws(Mistake) -> [Peer] {
    if node.null != nil { return [] }
    guard let items = node.sequence, items.count <= maximumPeers else {
      throw Mistake(
        line: node.mark?.line,
        message: "peers: a list of at most \(maximumPeers) host names or addresses is needed")
    }
    var peers: [Peer] = []
    for item in items {
      guard let text = item.string, let peer = Peer(text) else {
        throw Mistake(
          line: item.mark?.line,
          message: "peers: a host name or an address is needed, with or without :PORT")
      }
      peers.append(peer)
    }
    return peers
  }

  private static func mistake(_ error: any Error) -> Mistake {
    switch error as? YamlError {
    case .duplicatedKeysInMapping(let duplicates, let context)?:
      return Mistake(
        line: context.mark.line,
        message: "a key is there twice: \(duplicates.joined(separator: ", "))")
    case .scanner(_, _, let mark, _)?, .parser(_, _, let mark, _)?, .composer(_, _, let mark, _)?:
      return Mistake(line: mark.line, message: "this is not YAML")
    default:
      return Mistake(line: nil, message: "this is not YAML")
    }
  }
}

extension Configuration.Peer {
  /// Reads `host`, `host:port`, `address` or `[v6 address]:port`; `nil` for anything else.
  init?(_ text: String) {
    guard !text.isEmpty, text.utf8.count <= 255,
      text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
    else { return nil }
    var host = Substring(text)
    var port = Product.port
    if text.hasPrefix("[") {
      guard let end = text.firstIndex(of: "]") else { return nil }
      host = text[text.index(after: text.startIndex)..<end]
      let rest = text[text.index(after: end)...]
      if !rest.isEmpty {
        guard rest.hasPrefix(":"), let number = Self.port(rest.dropFirst()) else { return nil }
        port = number
      }
    } else if text.count(where: { $0 == ":" }) == 1, let colon = text.firstIndex(of: ":") {
      guard let number = Self.port(text[text.index(after: colon)...]) else { return nil }
      host = text[..<colon]
      port = number
    }
    guard !host.isEmpty else { return nil }
    self.init(host: String(host), port: port)
  }

  /// A number of 1 to 65535 in digits alone.
  private static func port(_ text: Substring) -> UInt16? {
    guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = UInt16(text), port > 0
    else { return nil }
    return port
  }
}
