// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

public import USBModel

/// Decides whether a device of this machine may be given away, to whom, and says why not.
///
/// The never-share set stands above every rule people write: a device is never taken from its own
/// machine unasked. What cannot be told apart from a device in use counts as in use. Of the rules the
/// first that matches decides; what none matches is shared.
public struct SharePolicy: Sendable, Hashable {
  /// The rules, in order.
  public var rules: [ShareRule]

  /// The built-in policy, with `rules` below it.
  public init(rules: [ShareRule] = []) { self.rules = rules }

  /// Judges `device` by what it is, by how its machine uses it now, and by the rules.
  ///
  /// Without a `requester` it is shared where anybody at all may have it.
  public func judge(
    _ device: Device, uses: [LocalUse], for requester: Requester? = nil
  ) -> Judgement {
    if let denial = builtIn(device, uses) { return Judgement(.deny(denial), basis: "built in") }
    let rules = rules.filter { $0.devices.holds(for: device) }
    return if let requester { judge(rules, requester) } else { judge(rules) }
  }

  private func judge(_ rules: [ShareRule], _ requester: Requester) -> Judgement {
    guard let rule = rules.first(where: { $0.isAbout(requester) }) else { return .byDefault }
    guard rule.effect == .deny else { return Judgement(.share, basis: rule.origin) }
    let allowed = rules.prefix { $0.effect == .allow || !$0.isForEverybody }
      .filter { $0.effect == .allow }.map(\.company)
    let reason =
      allowed.isEmpty
      ? "a rule of its machine keeps it (\(rule.origin))"
      : "only \(allowed.joined(separator: "; ")) may have it (\(rule.origin))"
    return Judgement(.deny(Denial(reason)), basis: rule.origin)
  }

  /// What holds for somebody at least.
  private func judge(_ rules: [ShareRule]) -> Judgement {
    for rule in rules {
      switch rule.effect {
      case .allow:
        return Judgement(.share, basis: rule.origin)
      case .deny where rule.isForEverybody:
        let reason = "a rule of its machine keeps it (\(rule.origin))"
        return Judgement(.deny(Denial(reason)), basis: rule.origin)
      case .deny:
        continue
      }
    }
    return .byDefault
  }

  private func builtIn(_ device: Device, _ uses: [LocalUse]) -> Denial? {
    if device.isHub {
      return Denial("it is a hub; the devices behind it are shared one by one", isLasting: true)
    }
    if device.isImported {
      return Denial("it came from another machine over USB/IP", isLasting: true)
    }
    if let use = uses.min(by: { SharePolicy.rank($0) < SharePolicy.rank($1) }) {
      return Denial(SharePolicy.reason(use))
    }
    if device.interfaces.isEmpty && device.configurationValue == 0 {
      return Denial("it is not configured by its machine")
    }
    return nil
  }

  /// The use that says most to a person comes first when there are several.
  private static func rank(_ use: LocalUse) -> Int {
    switch use {
    case .mounted: 0
    case .swap: 1
    case .held: 2
    case .keyboard: 3
    case .network: 4
    case .open: 5
    }
  }

  /// One use in words for people, naming the owner.
  public static func reason(_ use: LocalUse) -> String {
    switch use {
    case .mounted(let node, let path): "\(node) is mounted on \(path)"
    case .swap(let node): "\(node) is swap space of its machine"
    case .held(let node, let holder): "\(node) is part of \(holder)"
    case .keyboard(let node, let owner): "\(node) is a keyboard in use by \(owner)"
    case .network(let interface): "network interface \(interface) is in use"
    case .open(let node, let program, let process):
      "\(node) is in use by \(program) (process \(process))"
    }
  }
}

extension Judgement {
  /// No rule is about it.
  fileprivate static let byDefault = Judgement(.share, basis: "no rule")
}
