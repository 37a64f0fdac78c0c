// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// One device that this machine announces; the bus ID in the record is its key.
public struct PublishedDevice: Sendable, Hashable {
  /// The TCP port of the agent.
  public let port: UInt16
  /// What is said of the device.
  public let record: TXTRecord

  /// Takes both parts.
  public init(port: UInt16, record: TXTRecord) {
    self.port = port
    self.record = record
  }
}
