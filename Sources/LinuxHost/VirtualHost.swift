// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import SystemPackage
public import USBModel

/// The kernel's virtual USB host controllers, vhci_hcd (drivers/usb/usbip/vhci_sysfs.c).
///
/// Reading and writing may wait in the kernel: keep both off the cooperative pool.
public struct VirtualHost: Sendable {
  /// The control files belong to controller 0, whatever the number of controllers.
  static let directory: FilePath = "devices/platform/vhci_hcd.0"
  /// Each controller is a platform device `vhci_hcd.N`.
  static let controllerPrefix = "vhci_hcd."

  let sysfs: Sysfs

  /// Takes the tree of files to read and write.
  public init(sysfs: Sysfs) {
    self.sysfs = sysfs
  }

  /// True where the module is loaded and has its control files.
  public var isPresent: Bool {
    sysfs.exists(VirtualHost.directory.appending("attach"))
  }

  /// All ports of all controllers, by number; waits while one of them is made anew.
  ///
  /// Throws `HostError` with `ENOENT` where the module is not loaded.
  public func ports() throws(HostError) -> [VirtualPort] {
    var ports: [VirtualPort] = []
    for controller in 0..<HostLimits.controllers {
      do throws(HostError) {
        let status = try StatusFile.open(self, controller: controller, .shared)
        ports += try self.ports(of: controller, status)
      } catch  where controller > 0 && error.code == .noSuchFileOrDirectory {
        break
      }
    }
    return ports.sorted { $0.number < $1.number }
  }

  /// The free port to attach a device of `speed` to; `nil` where none is left.
  ///
  /// The port is in the half for the speed, on the controller with the fewest ports in use (all
  /// ports of one share a lock), not one of `excluding`, and the lowest such. Controllers of `worn` come last.
  public static func choosePort(
    from ports: [VirtualPort], speed: Speed, excluding: Set<Int> = [], worn: Set<Int> = []
  ) -> Int? {
    var inUse: [Int: Int] = [:]
    for port in ports where port.state != .free || excluding.contains(port.number) {
      inUse[port.controller, default: 0] += 1
    }
    return ports.filter { port in
      port.state == .free && port.isSuperSpeed == speed.needsSuperSpeedPort
        && !excluding.contains(port.number)
    }.min { left, right in
      func order(_ port: VirtualPort) -> (Int, Int, Int) {
        (worn.contains(port.controller) ? 1 : 0, inUse[port.controller, default: 0], port.number)
      }
      return order(left) < order(right)
    }?.number
  }

  /// Hands a connected stream socket to the kernel, which from then on speaks USB/IP on it.
  ///
  /// `socket` is a number of this process; the kernel takes a reference of its own. `deviceID` is
  /// the exporter's bus number << 16 | device number. Returns before the device is enumerated.
  /// Throws `HostError`: `EBUSY` where the port is taken (try the next), `EINVAL` for a bad port,
  /// speed or socket, `EAGAIN` where the controller is missing.
  public func attach(
    port: Int, socket: Int32, deviceID: UInt32, speed: Speed
  ) throws(HostError) {
    try sysfs.write(
      "\(port) \(socket) \(deviceID) \(speed.onWire.rawValue)",
      to: VirtualHost.directory.appending("attach"))
  }

  /// As above, for a socket with one owner.
  public func attach(
    port: Int, socket: borrowing OwnedDescriptor, deviceID: UInt32, speed: Speed
  ) throws(HostError) {
    try attach(port: port, socket: socket.rawValue, deviceID: deviceID, speed: speed)
  }

  /// Takes the device off a port; the kernel closes its socket.
  ///
  /// Throws `HostError` with `EINVAL` where nothing is attached to it.
  public func detach(port: Int) throws(HostError) {
    try sysfs.write("\(port)", to: VirtualHost.directory.appending("detach"))
  }

  /// True for the name of a controller's directory, as it occurs in the path of imported devices.
  static func isController(_ name: String) -> Bool {
    name.hasPrefix(controllerPrefix)
  }
}
