// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

public import AgentAPI
public import USBModel

/// What this machine has done with one remote device.
public struct Attachment: Sendable, Hashable {
  /// CONN_WAIT, CONN_DONE, DISCONN_WAIT.
  public var state: LocalState
  /// The port of vhci_hcd, once chosen.
  public var port: Int?
  /// Who asked for it.
  public var user: RemoteUser
  /// The device nodes, once usable.
  public var nodes: [String]
  /// Its bus ID on this machine, once usable.
  public var localBusID: BusID?
  /// The device as it was when it was asked for.
  public var device: RemoteDevice
}
