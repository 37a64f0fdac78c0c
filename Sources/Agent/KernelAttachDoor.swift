// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI
internal import Attaching
internal import LinuxHost
internal import SystemPackage
internal import USBModel

/// Attaches devices through this machine's vhci_hcd.
struct KernelAttachDoor: AttachDoor {
  private let sessions: SessionHost
  private let sequences: SequenceWatch
  private let host: VirtualHost
  private let nodes: DeviceNodes
  private let kernel: Kernel

  init(places: Places, sessions: SessionHost, sequences: SequenceWatch) {
    self.sessions = sessions
    self.sequences = sequences
    let sysfs = Sysfs(root: places.sysfs)
    host = VirtualHost(sysfs: sysfs)
    nodes = DeviceNodes(sysfs: sysfs, devfs: places.devfs, runtime: "/run")
    kernel = Kernel(sysfs: sysfs, procfs: places.procfs)
  }

  func importDevice(
    _ device: RemoteDevice, as user: RemoteUser
  ) async throws(AgentError) -> (device: Device, socket: SharedDescriptor) {
    // Asked first, so that nobody's device is taken for a machine that cannot use it.
    try checkPresence()
    return try await sessions.importDevice(device, as: user)
  }

  func freePorts(for speed: Speed) async throws(AgentError) -> [Int] {
    try checkPresence()
    let ports = try await ports()
    let worn = await sequences.wornControllers
    var free: [Int] = []
    while let port = VirtualHost.choosePort(
      from: ports, speed: speed, excluding: Set(free), worn: worn)
    {
      free.append(port)
    }
    return free
  }

  func attach(
    _ device: Device, socket: SharedDescriptor, port: Int
  ) async throws(AgentError) -> Bool {
    let identifier = device.busNumber << 16 | (device.deviceNumber & 0xFFFF)
    do throws(HostError) {
      try await sequences.attaching { [host] () throws(HostError) in
        try host.attach(
          port: port, socket: socket.rawValue, deviceID: identifier, speed: device.speed)
      }
      return true
    } catch {
      if error.code == .resourceBusy { return false }
      throw KernelAdvice.failure(of: error, "the kernel did not take \(device.name)")
    }
  }

  func detach(port: Int) async throws(AgentError) {
    // The last look at what the device did.
    await sequences.look()
    do throws(HostError) {
      try await BlockingWork.run("detach") { [host] () throws(HostError) in
        try host.detach(port: port)
      }
    } catch {
      // The kernel says EINVAL where the port is free already: then there is nothing to do.
      if await !isUsed(port: port) { return }
      throw KernelAdvice.failure(of: error, "the kernel does not let go of port \(port)")
    }
  }

  func observe(port: Int) async -> Attaching.LocalObservation? {
    await BlockingWork.run("observe") { [host, nodes] () -> Attaching.LocalObservation? in
      guard let ports = try? host.ports(),
        let used = ports.first(where: { $0.number == port && $0.state == .used }),
        let busID = used.localBusID
      else { return nil }
      let seen = nodes.observation(below: busID)
      return Attaching.LocalObservation(
        busID: busID, interfaces: seen.interfaces, nodes: seen.nodes, deviceID: used.deviceID)
    }
  }

  func isUsed(port: Int) async -> Bool {
    guard let ports = try? await ports() else { return false }
    let isUsed = ports.contains { $0.number == port && $0.state != .free }
    if !isUsed { sequences.lookSoon() }
    return isUsed
  }

  private func ports() async throws(AgentError) -> [VirtualPort] {
    do throws(HostError) {
      return try await BlockingWork.run("ports") { [host] () throws(HostError) in
        try host.ports()
      }
    } catch {
      throw AgentError(.failed, "the state of vhci_hcd cannot be read (\(error))")
    }
  }

  private func checkPresence() throws(AgentError) {
    guard !host.isPresent else { return }
    throw AgentError(
      .kernelSupportMissing, "this machine's kernel has no vhci_hcd, which attaches devices",
      hint: KernelAdvice.forMissingModule("vhci-hcd", release: (try? kernel.release()) ?? ""))
  }
}
