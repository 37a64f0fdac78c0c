// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

public import USBModel

/// What must be undone in the kernel if this agent dies; written down before it is done.
///
/// Undoing twice is harmless. It lives in the runtime directory, since a reboot undoes it all.
public struct UndoRecord: Sendable, Hashable, Codable {
  /// Devices taken from their kernel drivers.
  public var claimed: Set<BusID>
  /// Ports of vhci_hcd in use by this agent.
  public var ports: Set<Int>

  /// Takes both; nothing to undo by default.
  public init(claimed: Set<BusID> = [], ports: Set<Int> = []) {
    self.claimed = claimed
    self.ports = ports
  }

  /// True when there is nothing to undo.
  public var isEmpty: Bool { claimed.isEmpty && ports.isEmpty }
}

/// Where the undo record is kept.
public protocol UndoBook: Sendable {
  /// Writes the change down for good before returning; throws when it cannot be kept.
  func change(_ edit: @Sendable (inout UndoRecord) -> Void) async throws(AgentError)
}
