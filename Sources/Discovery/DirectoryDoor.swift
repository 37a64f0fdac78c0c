// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// Announces devices on the LAN and tells what others announce.
public protocol DirectoryDoor: Sendable {
  /// The changes in order, for one reader.
  var events: AsyncStream<DiscoveryEvent> { get }

  /// Makes `devices` all that this machine announces; returns at once, and twice the same is nothing.
  func publish(_ devices: [PublishedDevice])
}
