// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// The first packet of somebody who wants something of this machine, from a machine of the office.
public struct Packet: Sendable, Hashable {
  /// What carries the port.
  public enum Transport: String, Sendable, Hashable {
    case tcp, udp
  }

  /// The version of IP.
  public enum Family: String, Sendable, Hashable, CaseIterable {
    case ipv4 = "IPv4"
    case ipv6 = "IPv6"
  }

  /// TCP or UDP.
  public var transport: Transport
  /// The port it is sent to.
  public var port: UInt16
  /// The version of IP.
  public var family: Family
  /// The group it is sent to; `nil` for one of this machine's own addresses.
  public var group: String?
  /// The network interfaces it may come in by.
  public var interfaces: [String]

  /// Takes all parts.
  public init(
    _ transport: Transport, port: UInt16, family: Family, group: String? = nil,
    interfaces: [String]
  ) {
    self.transport = transport
    self.port = port
    self.family = family
    self.group = group
    self.interfaces = interfaces
  }

  /// A question of mDNS (RFC 6762, 3: the groups of both versions).
  public static func multicastDNS(_ family: Family, interfaces: [String]) -> Packet {
    Packet(
      .udp, port: 5353, family: family, group: family == .ipv4 ? "224.0.0.251" : "ff02::fb",
      interfaces: interfaces)
  }
}
