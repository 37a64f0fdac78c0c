// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

public import AgentAPI
public import USBModel

/// The kernel as `Sharing` sees it: taking a device from its drivers and giving it back.
public protocol ExportDoor: Sendable {
  /// A claimed device; it carries the descriptor a session needs and ends when dropped.
  associatedtype Claim: Sendable

  /// How this machine uses each of `devices` now; a device without uses may be left out.
  func uses(of devices: [Device]) async -> [BusID: [LocalUse]]

  /// Takes `device` from its kernel drivers.
  ///
  /// Throws `AgentError` with the device untouched, or as untouched as the kernel allows.
  func claim(_ device: Device) async throws(AgentError) -> Claim

  /// Resets the device at `busID` and lets the kernel drivers have it; harmless when they have it already.
  ///
  /// Called for a device that was unplugged too: then only what was kept for it is let go.
  /// `configuration` is the one it had before it was claimed; `nil` leaves the one it has. Waits for
  /// a session that is about to end; returns false where the device is still held after that.
  func giveBack(_ busID: BusID, configuration: UInt8?) async -> Bool
}
