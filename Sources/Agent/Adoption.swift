// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI
internal import Attaching
internal import LinuxHost
internal import Logging
internal import Sharing
internal import Systemd
internal import USBModel

/// Goes on with what an agent before this one left, before anything else is done; and undoes the rest.
struct Adoption: Sendable {
  let places: Places
  let undo: UndoFile
  let attached: AttachedFile
  let held: HeldSessions
  let door: KernelExportDoor
  let sessions: SessionHost
  let attachments: Attachments<KernelAttachDoor>
  let log: Logger

  /// The sessions that were taken over: the caller has them followed.
  ///
  /// `stored` is what the service manager kept, by name.
  func run(_ stored: [String: SharedDescriptor]) async -> [(AdoptedSession, SessionNumber)] {
    var found: [(AdoptedSession, SessionNumber)] = []
    let recorded = await undo.current
    for (busID, session) in await held.record.current {
      if recorded.claimed.contains(session.device.busID), let adopted = await adopt(session, stored)
      {
        found.append(adopted)
      } else {
        await held.end(busID)
      }
    }
    let devices = Set(found.map(\.0.held.device.busID))
    // What belongs to no session any more, the manager need not keep.
    let kept = Set(
      devices.map { HeldSessions.names($0.description) }.flatMap { [$0.control, $0.hubPort] })
    for name in stored.keys where !kept.contains(name) { held.notice.forget(name) }

    let ports = await attachments.adopt(await attached.current, among: recorded.ports)
    if !devices.isEmpty || !ports.isEmpty {
      log.notice(
        "an agent before this one left devices in use, going on with them",
        metadata: ["sessions": "\(devices.count)", "ports": "\(ports.count)"])
    }
    await Cleanup(places: places, undo: undo, log: log).run(except: devices, ports)
    return found
  }

  private func adopt(
    _ session: HeldSession, _ stored: [String: SharedDescriptor]
  ) async -> (AdoptedSession, SessionNumber)? {
    let names = HeldSessions.names(session.device.busID.description)
    guard let control = stored[names.control], let end = try? control.duplicate(),
      await isThere(session.device), let adopted = AdoptedSession(session, control: end)
    else { return nil }
    let hubPort = stored[names.hubPort]
    await BlockingWork.run("adopt") { [door] in
      door.adopt(session.device, hubPort: hubPort)
    }
    return (adopted, await sessions.adopt(adopted))
  }

  /// True where the port has the very device that was taken, and not another one plugged in since.
  private func isThere(_ device: Device) async -> Bool {
    await BlockingWork.run("adopt") { [places] in
      let tree = USBTree(sysfs: Sysfs(root: places.sysfs))
      let now = (try? tree.device(device.busID)) ?? nil
      return now?.busNumber == device.busNumber && now?.deviceNumber == device.deviceNumber
    }
  }
}
