// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI
internal import LinuxHost
internal import Logging
internal import Systemd
internal import USBModel

/// Lets sessions that have a device outlive this run of the agent, by bus ID.
///
/// The service manager keeps this end of a session's control socket and the claim of the hub's port: a
/// session whose agent stops for good sees the end of its socket, one whose agent is restarted or dies does not.
struct HeldSessions: Sendable {
  let notice: ServiceNotice
  let record: RecordFile<[String: HeldSession]>
  let log: Logger

  /// What the manager calls a session's control socket, and the claim of its hub's port.
  static func names(_ busID: String) -> (control: String, hubPort: String) {
    ("session-\(busID)", "port-\(busID)")
  }

  /// A session has got its device; without a manager its life ends with this process.
  func begin(
    _ session: HeldSession, control: borrowing OwnedDescriptor, hubPort: SharedDescriptor
  ) async {
    let busID = session.device.busID.description
    do throws(AgentError) {
      try await record.change { $0[busID] = session }
      let names = HeldSessions.names(busID)
      notice.store([control.rawValue], as: names.control)
      notice.store([hubPort.rawValue], as: names.hubPort)
    } catch {
      // Then it ends with the agent, as it would without a manager.
      log.warning(
        "a session cannot be written down, ignoring",
        metadata: ["device.busid": "\(busID)", "error": "\(error.message)"])
    }
  }

  /// A session has ended, or its device is on its way back.
  func end(_ busID: String) async {
    let names = HeldSessions.names(busID)
    notice.forget(names.control)
    notice.forget(names.hubPort)
    do throws(AgentError) {
      try await record.change { $0[busID] = nil }
    } catch {
      log.warning(
        "a session cannot be written down, ignoring",
        metadata: ["device.busid": "\(busID)", "error": "\(error.message)"])
    }
  }
}
