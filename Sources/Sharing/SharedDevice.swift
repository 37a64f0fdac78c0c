// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

public import AgentAPI
public import SharePolicy
public import USBModel

/// A device of this machine as others see it.
public struct SharedDevice: Sendable, Hashable {
  /// The device.
  public var device: Device
  /// AVAIL, INUSE or DENIED.
  public var state: RemoteState
  /// Who holds it.
  public var user: RemoteUser
  /// Why it is DENIED.
  public var denial: Denial?
  /// What decided that it is shared or not, in words: `rule 2, line 14`.
  public var basis: String

  /// Takes all parts.
  public init(
    device: Device, state: RemoteState, user: RemoteUser, denial: Denial?,
    basis: String = "no rule"
  ) {
    self.device = device
    self.state = state
    self.user = user
    self.denial = denial
    self.basis = basis
  }

  /// False for what can never be shared: a hub, a device that itself came over the network.
  public var isAnnounced: Bool { denial?.isLasting != true }
}
