// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI
internal import LinuxHost
internal import Logging
internal import Sharing
internal import USBModel

/// Undoes what an agent left behind in the kernel; doing it twice is harmless.
struct Cleanup: Sendable {
  let places: Places
  let undo: UndoFile
  let log: Logger

  /// Detaches recorded ports and gives recorded devices back; what fails stays recorded.
  ///
  /// What this agent goes on with, `devices` and `ports`, is left alone.
  func run(except devices: Set<BusID> = [], _ ports: Set<Int> = []) async {
    var record = await undo.current
    record.claimed.subtract(devices)
    record.ports.subtract(ports)
    guard !record.isEmpty else { return }
    log.notice(
      "an agent left something behind, undoing it",
      metadata: ["devices": "\(record.claimed.count)", "ports": "\(record.ports.count)"])
    let host = VirtualHost(sysfs: Sysfs(root: places.sysfs))
    let door = KernelExportDoor(places: places)
    for port in record.ports {
      let isFree = await BlockingWork.run("clean-up") { detach(port, host) }
      if isFree { try? await undo.change { $0.ports.remove(port) } }
    }
    for busID in record.claimed {
      if await door.giveBack(busID, configuration: nil) {
        try? await undo.change { $0.claimed.remove(busID) }
      } else {
        log.error(
          "a device is still held by a session, leaving it recorded",
          metadata: ["device.busid": "\(busID)"])
      }
    }
  }

  private func detach(_ port: Int, _ host: VirtualHost) -> Bool {
    do throws(HostError) {
      guard try host.ports().contains(where: { $0.number == port && $0.state != .free }) else {
        return true
      }
      try host.detach(port: port)
      return true
    } catch {
      log.error(
        "a port of vhci_hcd cannot be detached, leaving it recorded",
        metadata: ["port": "\(port)", "error": "\(error)"])
      return false
    }
  }
}
