// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

public import AgentAPI
public import USBModel

/// What the kernel shows of an attached device at one moment.
public struct LocalObservation: Sendable, Hashable {
  /// Its bus ID on this machine.
  public var busID: BusID
  /// Its interfaces and their drivers; empty before it is configured.
  public var interfaces: [Interface]
  /// Its device nodes and network interfaces.
  public var nodes: [String]
  /// Its bus number on the exporter << 16 | its device number there, as the kernel was told.
  public var deviceID: UInt32

  /// Takes all parts.
  public init(busID: BusID, interfaces: [Interface], nodes: [String], deviceID: UInt32 = 0) {
    self.busID = busID
    self.interfaces = interfaces
    self.nodes = nodes
    self.deviceID = deviceID
  }
}

/// The network and the kernel as `Attaching` sees them.
public protocol AttachDoor: Sendable {
  /// A connected socket on which an exporter has agreed to a URB phase; closed when dropped.
  associatedtype Socket: Sendable

  /// Asks the exporter for the device, in a session process of its own.
  ///
  /// Throws `AgentError`: `unreachable`, `inUse`, `denied`, `unknownDevice`, `protocolMismatch`.
  func importDevice(
    _ device: RemoteDevice, as user: RemoteUser
  ) async throws(AgentError) -> (device: Device, socket: Socket)

  /// Ports of vhci_hcd that are free for a device of `speed`, the best one first.
  ///
  /// Throws `AgentError`: `kernelSupportMissing`.
  func freePorts(for speed: Speed) async throws(AgentError) -> [Int]

  /// Hands the socket to the kernel on `port`.
  ///
  /// Returns false where somebody else took the port meanwhile. Throws `AgentError` for the rest.
  func attach(_ device: Device, socket: Socket, port: Int) async throws(AgentError) -> Bool

  /// Takes the device on `port` off; harmless when the port is free already.
  func detach(port: Int) async throws(AgentError)

  /// What is attached on `port`; `nil` while the kernel has not enumerated it or when it is gone.
  func observe(port: Int) async -> LocalObservation?

  /// True while the kernel shows `port` in use.
  func isUsed(port: Int) async -> Bool
}
