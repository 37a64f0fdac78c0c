// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// Who wants a device, as the importing machine claims.
public struct Requester: Sendable, Hashable {
  /// The user's name there.
  public var user: String
  /// The machine's host name, or its address where it is known by that alone.
  public var host: String

  /// Takes both.
  public init(user: String, host: String) {
    self.user = user
    self.host = host
  }
}

/// One rule people wrote: which devices it is about, and who may have them or may not.
public struct ShareRule: Sendable, Hashable {
  /// What becomes of a request the rule is about.
  public enum Effect: String, Sendable, Hashable, CaseIterable {
    case allow
    case deny
  }

  /// What becomes of it.
  public var effect: Effect
  /// Which devices.
  public var devices: DeviceCondition
  /// Which users; empty for all.
  public var users: [TextPattern]
  /// Which hosts; empty for all.
  public var hosts: [TextPattern]
  /// Where it stands, in words for people: `rule 2, line 14`.
  public var origin: String

  /// Takes all parts.
  public init(
    _ effect: Effect, devices: DeviceCondition = DeviceCondition(), users: [TextPattern] = [],
    hosts: [TextPattern] = [], origin: String
  ) {
    self.effect = effect
    self.devices = devices
    self.users = users
    self.hosts = hosts
    self.origin = origin
  }

  /// True where the rule is about everybody.
  public var isForEverybody: Bool { users.isEmpty && hosts.isEmpty }

  /// True where the rule is about `requester`.
  func isAbout(_ requester: Requester) -> Bool {
    (users.isEmpty || users.contains { $0.matches(requester.user) })
      && (hosts.isEmpty || hosts.contains { $0.matches(requester.host) })
  }

  /// Whom an allowing rule shares with, in words: `taka, hanako on beta`.
  var company: String {
    let people = users.map(\.description).joined(separator: ", ")
    let places = hosts.map(\.description).joined(separator: ", ")
    return switch (people.isEmpty, places.isEmpty) {
    case (true, true): "everybody"
    case (false, true): people
    case (true, false): "everybody on \(places)"
    case (false, false): "\(people) on \(places)"
    }
  }
}
