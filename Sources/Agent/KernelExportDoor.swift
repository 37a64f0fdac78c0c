// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI
internal import LinuxHost
internal import SharePolicy
internal import Sharing
internal import Synchronization
internal import SystemPackage
internal import USBHost
internal import USBModel

/// A device taken from its kernel drivers; the claim ends when the last descriptor closes.
final class KernelClaim: Sendable {
  /// The usbfs descriptor, interfaces claimed.
  let usbfs: SharedDescriptor
  /// The hub's descriptor, which keeps drivers of the kernel away from the device's port while it is open.
  let hubPort: SharedDescriptor

  init(usbfs: SharedDescriptor, hubPort: SharedDescriptor) {
    self.usbfs = usbfs
    self.hubPort = hubPort
  }
}

/// Takes devices from this machine's kernel drivers and gives them back.
final class KernelExportDoor: ExportDoor {
  private let places: Places
  private let tree: USBTree
  private let localUses: LocalUses
  /// What is claimed: the descriptor of the hub, whose port stays claimed as long as it is open, and the
  /// address of the device that was on the port then.
  private let hubPorts = Mutex<[BusID: (hub: SharedDescriptor, deviceNumber: UInt32)]>([:])

  init(places: Places) {
    self.places = places
    let sysfs = Sysfs(root: places.sysfs)
    tree = USBTree(sysfs: sysfs)
    localUses = LocalUses(sysfs: sysfs, procfs: places.procfs, devfs: places.devfs)
  }

  /// Keeps drivers of the kernel away from a device that an agent before this one took.
  ///
  /// `hubPort` is that agent's descriptor; without one the port is claimed anew, if it can be.
  func adopt(_ device: Device, hubPort: SharedDescriptor?) {
    if let hubPort {
      hubPorts.withLock { $0[device.busID] = (hubPort, device.deviceNumber) }
    } else {
      _ = try? claimHubPort(device)
    }
  }

  func uses(of devices: [Device]) async -> [BusID: [LocalUse]] {
    await BlockingWork.run("uses") { [localUses, places] in
      let open = OpenNodes(procfs: places.procfs, devfs: places.devfs)
      var uses: [BusID: [LocalUse]] = [:]
      for device in devices { uses[device.busID] = localUses.uses(of: device, openNodes: open) }
      return uses
    }
  }

  func claim(_ device: Device) async throws(AgentError) -> KernelClaim {
    try await BlockingWork.run("claim") { [self] () throws(AgentError) in try take(device) }
  }

  /// How long a session may take to let go of its device after its end was asked for.
  private static let patience = Duration.seconds(5)

  func giveBack(_ busID: BusID, configuration: UInt8?) async -> Bool {
    let limit = ContinuousClock.now + KernelExportDoor.patience
    while true {
      let isBack = await BlockingWork.run("give-back") { [self] in
        returnNow(busID, configuration: configuration)
      }
      guard !isBack, ContinuousClock.now < limit else { return isBack }
      // After a crash the session is no child of this process: nothing tells when it has ended.
      try? await Task.sleep(for: .milliseconds(100))
    }
  }

  private func take(_ device: Device) throws(AgentError) -> KernelClaim {
    // What no listing shows, such as a mount of this very moment, the kernel itself is asked for.
    if let use = localUses.claims(on: device).first {
      throw AgentError(.denied, "\(device.name) is not shared: \(SharePolicy.reason(use))")
    }
    do {
      let hubPort = try claimHubPort(device)
      let usbfs = try USBDeviceNode.open(
        busNumber: device.busNumber, deviceNumber: device.deviceNumber, devfs: places.devfs)
      let handle = try USBDeviceHandle(wrapping: usbfs.rawValue)
      if device.configurationValue == 0 { try handle.setConfiguration(1) }
      // Asked again: the interfaces may be others than when the device was plugged in.
      let interfaces = try tree.device(device.busID)?.interfaces ?? device.interfaces
      for interface in interfaces {
        try handle.claim(interface: interface.number, detachingKernelDriver: true)
      }
      // The session gets this open node; what gives the device back opens another one.
      try USBDeviceNode.dropPrivileges(usbfs)
      return KernelClaim(usbfs: SharedDescriptor(usbfs), hubPort: hubPort)
    } catch {
      throw AgentError(.failed, "\(device.name) cannot be taken from its drivers (\(error))")
    }
  }

  /// Keeps drivers of the kernel away from the device through reset and reconfiguration.
  private func claimHubPort(_ device: Device) throws(HostError) -> SharedDescriptor {
    let port = try HubPort.claim(
      for: device.busID, sysfs: Sysfs(root: places.sysfs), devfs: places.devfs)
    let hub = port.share()
    hubPorts.withLock { $0[device.busID] = (hub, device.deviceNumber) }
    return hub
  }

  /// Undoes a claim, wholly or partly made; nothing here can be reported to anybody who could act.
  private func returnNow(_ busID: BusID, configuration: UInt8?) -> Bool {
    let claim = hubPorts.withLock { $0.removeValue(forKey: busID) }
    // The service manager may have a duplicate still, and somebody may want the device at once.
    if let claim { HubPort.release(of: busID, hub: claim.hub) }
    guard let device = (try? tree.device(busID)) ?? nil,
      let usbfs = try? USBDeviceNode.open(
        busNumber: device.busNumber, deviceNumber: device.deviceNumber, devfs: places.devfs),
      let handle = try? USBDeviceHandle(wrapping: usbfs.rawValue)
    else { return true }
    if let claim, claim.deviceNumber != device.deviceNumber {
      // Another device by now, such as the loader of a firmware, which a reset would end. All it may
      // miss is a configuration, since drivers were kept away from the port while it came up.
      if device.configurationValue == 0 { try? handle.setConfiguration(1) }
      return true
    }
    guard !device.interfaces.contains(where: KernelExportDoor.isHeld) else { return false }
    // What the importer's drivers left in the device must not meet this machine's drivers.
    try? handle.reset()
    if let configuration, configuration != device.configurationValue, configuration > 0 {
      try? handle.setConfiguration(configuration)
    }
    for interface in tree.interfaces(of: busID) where interface.driver == nil {
      try? handle.attachKernelDriver(interface: interface.number)
    }
    return !tree.interfaces(of: busID).contains(where: KernelExportDoor.isHeld)
  }

  /// True where a program has the interface: usbfs is its driver then.
  private static func isHeld(_ interface: Interface) -> Bool { interface.driver == "usbfs" }
}
