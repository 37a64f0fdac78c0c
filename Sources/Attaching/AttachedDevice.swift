// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

public import AgentAPI
public import USBModel

/// What an agent must know of an attached device to go on with it after a restart.
public struct AttachedDevice: Sendable, Hashable, Codable {
  /// The device as it was when it was asked for.
  public var device: RemoteDevice
  /// Who asked for it.
  public var user: RemoteUser
  /// Its bus ID on this machine.
  public var localBusID: BusID
  /// Its bus and device number on the exporter, as the kernel was told them.
  public var deviceID: UInt32

  /// Takes all parts.
  public init(device: RemoteDevice, user: RemoteUser, localBusID: BusID, deviceID: UInt32) {
    self.device = device
    self.user = user
    self.localBusID = localBusID
    self.deviceID = deviceID
  }
}

/// Where what is attached outlasts the agent, by port of vhci_hcd; a reboot ends all of it.
public protocol AttachmentBook: Sendable {
  /// Writes the change down for good before returning; throws where it cannot be kept.
  func change(
    _ edit: @Sendable (inout [Int: AttachedDevice]) -> Void
  ) async throws(AgentError)
}
