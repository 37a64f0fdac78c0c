// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import SystemPackage

extension SysfsTree {
  /// The driver of vhci_hcd, whose files bind and unbind controllers.
  private static let driver: FilePath = "sys/bus/platform/drivers/vhci_hcd"

  /// Adds a half of a controller, as the kernel makes it when it binds the controller's driver.
  public func addVirtualHub(controller: Int, bus: Int, isSuperSpeed: Bool) throws {
    let directory = SysfsTree.hub(controller, bus)
    try write(isSuperSpeed ? "5000\n" : "480\n", to: directory.appending("speed"))
    // The hub's own, which vhci_hcd sees nothing of.
    try write("59\n", to: directory.appending("urbnum"))
    try makeDirectory(directory.appending("\(bus)-0:1.0"))
    try makeDirectory(SysfsTree.driver)
    for name in ["bind", "unbind"] { try write("", to: SysfsTree.driver.appending(name)) }
  }

  /// Sets how many URBs a device has done, and makes it first: `1` on a port of the hub, `1.2` behind that.
  public func setURBs(_ text: String, controller: Int, bus: Int, device: String = "1") throws {
    var directory = SysfsTree.hub(controller, bus)
    var name = "\(bus)-"
    for port in device.split(separator: ".") {
      name += (name.hasSuffix("-") ? "" : ".") + port
      directory.append(name)
    }
    try write("\(text)\n", to: directory.appending("urbnum"))
    try makeDirectory(directory.appending("\(name):1.0"))
  }

  /// Takes a half of a controller away, or one device of it.
  public func removeVirtualHub(controller: Int, bus: Int, device: String? = nil) {
    let hub = SysfsTree.hub(controller, bus)
    remove(device.map { hub.appending("\(bus)-\($0)") } ?? hub)
  }

  /// What was last written to `bind` or `unbind` of vhci_hcd's driver; empty before.
  public func takeDriverFile(_ name: String) throws -> String {
    let file = SysfsTree.driver.appending(name)
    defer { try? write("", to: file) }
    return try read(file)
  }

  private static func hub(_ controller: Int, _ bus: Int) -> FilePath {
    FilePath("sys/devices/platform/vhci_hcd.\(controller)/usb\(bus)")
  }
}
