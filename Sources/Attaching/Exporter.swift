// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// A machine that exports devices, as far as it is known from announcements or from configuration.
public struct Exporter: Sendable, Hashable, Codable {
  /// Its host name, or the address it was configured by.
  public var host: String
  /// Its addresses in numbers, the best one first.
  public var addresses: [String]
  /// Its TCP port.
  public var port: UInt16
  /// The lasting name of its agent; `nil` for a plain USB/IP peer.
  public var agent: String?

  /// Takes all parts.
  public init(host: String, addresses: [String], port: UInt16, agent: String?) {
    self.host = host
    self.addresses = addresses
    self.port = port
    self.agent = agent
  }
}
