// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

public import SystemPackage

extension VirtualHost {
  /// The driver, whose files bind and unbind controllers (Documentation/ABI/testing/sysfs-bus-platform and
  /// driver-api/driver-model/driver.rst).
  private static let driver: FilePath = "bus/platform/drivers/vhci_hcd"

  /// Both halves of all controllers; a controller that has no driver just now has none.
  public func hubs() -> [VirtualHub] {
    var hubs: [VirtualHub] = []
    for controller in 0..<HostLimits.controllers {
      let directory = VirtualHost.directory(of: controller)
      guard let names = try? sysfs.entries(of: directory) else { break }
      for name in names {
        guard name.hasPrefix("usb"), let bus = Int(name.dropFirst(3)),
          let hub = VirtualHub(
            directory.appending(name), bus: bus, controller: controller, sysfs: sysfs)
        else { continue }
        hubs.append(hub)
      }
    }
    return hubs
  }

  /// True where the kernel's driver serves a controller.
  public func isBound(controller: Int) -> Bool {
    sysfs.exists(VirtualHost.directory(of: controller).appending("driver"))
  }

  /// Has the kernel make an empty controller anew, its driver taken off and given back: both counters of sequence
  /// numbers begin at 0.
  ///
  /// Meanwhile nobody but root can open its status file, since reading it then crashes the kernel. Controller 0
  /// has the control files of all and is refused with `EINVAL`. Throws `HostError`: `EBUSY` where something is
  /// attached to it, `EWOULDBLOCK` where somebody has its status file open; else the driver's code, and then the
  /// controller may be without its driver.
  public func renew(controller: Int, procfs: FilePath) throws(HostError) {
    let name = VirtualHost.controllerPrefix + "\(controller)"
    guard controller > 0 else { throw HostError("renew", name, .invalidArgument) }
    let status = try StatusFile.open(self, controller: controller, .exclusive)
    let ports = try ports(of: controller, status)
    guard !ports.isEmpty, ports.allSatisfy({ $0.state == .free }) else {
      throw HostError("renew", name, .resourceBusy)
    }
    try status.close()
    defer { status.reopen() }
    // Looked for behind that: who has it open now had it before.
    guard !status.isOpenElsewhere(procfs) else {
      throw HostError("renew", name, .wouldBlock)
    }
    try sysfs.write(name, to: VirtualHost.driver.appending("unbind"))
    try sysfs.write(name, to: VirtualHost.driver.appending("bind"))
  }

  /// Gives a controller its driver back, where making it anew ended half way; harmless where it has it.
  ///
  /// Throws `HostError`: `EWOULDBLOCK` where somebody reads its status file; else the driver's code.
  public func bind(controller: Int) throws(HostError) {
    let status = try StatusFile.open(self, controller: controller, .exclusive)
    defer { status.reopen() }
    guard !isBound(controller: controller) else { return }
    try sysfs.write(
      VirtualHost.controllerPrefix + "\(controller)", to: VirtualHost.driver.appending("bind"))
  }

  /// The ports that an open status file tells of.
  func ports(of controller: Int, _ status: borrowing StatusFile) throws(HostError) -> [VirtualPort]
  {
    VirtualPort.parse(status: try status.text(), controller: controller)
  }

  private static func directory(of controller: Int) -> FilePath {
    FilePath("devices/platform").appending(controllerPrefix + "\(controller)")
  }
}
