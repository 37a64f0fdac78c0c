// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// One service instance as it is seen on the LAN, merged over interfaces and protocols.
public struct Announcement: Sendable, Hashable {
  /// The instance's name, exactly as announced: the key of this announcement.
  ///
  /// Not fit for a terminal.
  public let instance: String
  /// The exporter's host name without `.local`, printable.
  public let host: String
  /// The exporter's addresses in numbers, the best to try first.
  ///
  /// IPv4 before IPv6, link-local last. An IPv6 link-local address has its interface behind `%`.
  public let addresses: [String]
  /// The exporter's TCP port.
  public let port: UInt16
  /// What the exporter says; `nil` for a service of another vendor, without our keys.
  public let record: Result<TXTRecord, TXTError>?

  /// Takes all parts.
  public init(
    instance: String, host: String, addresses: [String], port: UInt16,
    record: Result<TXTRecord, TXTError>?
  ) {
    self.instance = instance
    self.host = host
    self.addresses = addresses
    self.port = port
    self.record = record
  }

  /// The instance's name without what could move a cursor.
  public var displayName: String { PrintableText.kept(instance, limit: 255) }
}
