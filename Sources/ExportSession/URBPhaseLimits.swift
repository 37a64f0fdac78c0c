// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import USBIPWire

/// What one session spends at most; the tests take smaller numbers.
public struct URBPhaseLimits: Sendable {
  /// URBs outstanding; at the limit the session stops reading.
  public var slots = WireLimits.maximumOutstandingURBs
  /// Bytes of their buffers; at the limit the session stops reading.
  public var bytes = WireLimits.maximumOutstandingBytes
  /// Bytes of a long transfer: one that is worth memory shared with the device and a receive of its own,
  /// and not worth looking for its end before sleeping.
  public var longTransfer = 16 * 1024
  /// Bytes of the shared memory: 15 of the 128 KiB transfers that vhci_hcd makes of a disk's.
  public var sharedBytes = 2 * 1024 * 1024
  /// How often a session looks for events before it sleeps: some tens of microseconds.
  public var looks = 128
  /// How often a session receives before it looks after the device.
  public var rounds = 8
  /// The same while long transfers come, each of which takes as much time as many short ones.
  public var streamingRounds = 2
  /// How long a peer may leave replies untaken before the session ends.
  public var writeStall = Duration.seconds(20)
  /// How long a submit is tried again that the kernel had no memory for.
  public var memoryPatience = Duration.seconds(1)
  /// Milliseconds between two such tries, where nothing completes meanwhile.
  public var memoryRetry: Int32 = 5

  /// How long a device may take for a transfer that it owes an end; beyond, the journal is told.
  public var overdue = Duration.seconds(5)
  /// Milliseconds between two looks for such transfers, while there are any.
  public var lookInterval: Int32 = 1000

  /// Starts with the limits of the wire.
  public init() {}
}
