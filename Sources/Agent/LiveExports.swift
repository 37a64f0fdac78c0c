// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import LinuxHost
internal import Sharing
internal import USBModel

/// The sessions that serve a device of this machine at this moment, by its bus ID.
actor LiveExports {
  private let held: HeldSessions
  private var lines: [BusID: (session: SessionNumber, line: SessionLine)] = [:]

  init(held: HeldSessions) { self.held = held }

  /// A session has got the device at `busID`.
  func begin(_ busID: BusID, _ session: SessionNumber, _ line: SessionLine) {
    lines[busID] = (session, line)
  }

  /// As above, and the session may outlive this run of the agent.
  func begin(
    _ session: HeldSession, _ number: SessionNumber, _ line: SessionLine,
    control: consuming OwnedDescriptor, hubPort: SharedDescriptor
  ) async {
    begin(session.device.busID, number, line)
    await held.begin(session, control: control, hubPort: hubPort)
  }

  /// The process of a session has ended.
  func end(_ session: SessionNumber) async {
    for (busID, entry) in lines where entry.session == session {
      lines[busID] = nil
      await held.end(busID.description)
      await entry.line.end()
    }
  }

  /// The line to the session that serves the device at `busID`; `nil` where none does.
  func line(_ busID: BusID) -> SessionLine? { lines[busID]?.line }
}
