// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

private import CLinux
public import SystemPackage
public import USBModel

/// A port of a hub that kernel drivers keep away from, until this value ends.
///
/// A device on it stays without configuration and drivers, over replug, reset and SET_CONFIGURATION
/// (`USBDEVFS_CLAIM_PORT`, drivers/usb/core/devio.c). Drivers that are bound already stay bound.
public struct HubPort: ~Copyable, Sendable {
  /// The port, counted from 1.
  public let port: Int
  private let hub: OwnedDescriptor

  /// Claims a port through the usbfs descriptor of its hub.
  ///
  /// Throws `HostError`: `EBUSY` where somebody has the port (usbip-host, another program),
  /// `EINVAL` or `ENOENT` where the hub has no such port, `ENOTTY` where `hub` is no USB device.
  public init(hub: consuming OwnedDescriptor, port: Int, of subject: String) throws(HostError) {
    guard let number = UInt32(exactly: port) else {
      throw HostError("claim hub port of", subject, .invalidArgument)
    }
    guard clinux_usb_claim_port(hub.rawValue, number) == 0 else {
      throw HostError("claim hub port of", subject, .current)
    }
    self.port = port
    self.hub = hub
  }

  /// Finds and opens the hub that `busID` hangs on and claims that port.
  ///
  /// Throws `HostError` as above, and where the hub cannot be read or opened.
  public static func claim(
    for busID: BusID, sysfs: Sysfs, devfs: FilePath
  ) throws(HostError) -> HubPort {
    let name = busID.parent?.description ?? busID.rootHubName
    let attributes = AttributeReader(sysfs: sysfs, directory: USBTree.directory.appending(name))
    let hub = try USBDeviceNode.open(
      busNumber: attributes.decimal("busnum"), deviceNumber: attributes.decimal("devnum"),
      devfs: devfs)
    return try HubPort(hub: hub, port: busID.port, of: busID.description)
  }

  /// Gives the port back now; the kernel does not probe the device by itself.
  ///
  /// Throws `HostError` where the kernel did not have the claim any more, as after the hub's unplug.
  public consuming func release() throws(HostError) {
    guard clinux_usb_release_port(hub.rawValue, UInt32(port)) == 0 else {
      throw HostError("release hub port", "\(port)", .current)
    }
  }

  /// Gives the port of `busID` back now, whoever has duplicates of `hub`; harmless where it is not claimed.
  public static func release(of busID: BusID, hub: SharedDescriptor) {
    _ = clinux_usb_release_port(hub.rawValue, UInt32(busID.port))
  }

  /// The hub's descriptor, which keeps the port claimed as long as it or a duplicate of it is open.
  public consuming func share() -> SharedDescriptor {
    SharedDescriptor(hub)
  }
}
