// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import LinuxHost
internal import Sharing
internal import USBModel

/// The sessions that serve a device of this machine at this moment, by its bus ID.
actor LiveExports {
  /// Who serves a device, and to whom.
  struct Holder: Sendable {
    let session: SessionNumber
    /// Where the agent of its user's machine can be asked; `nil` for a plain peer.
    let agent: AgentAddress?
    /// Tells the session to end.
    let end: @Sendable () -> Void
  }

  private let held: HeldSessions
  private var lines: [BusID: (holder: Holder, line: SessionLine)] = [:]

  init(held: HeldSessions) { self.held = held }

  /// A session has got the device at `busID`.
  func begin(_ busID: BusID, _ holder: Holder, _ line: SessionLine) {
    lines[busID] = (holder, line)
  }

  /// As above, and the session may outlive this run of the agent.
  func begin(
    _ session: HeldSession, _ holder: Holder, _ line: SessionLine,
    control: consuming OwnedDescriptor, hubPort: SharedDescriptor
  ) async {
    begin(session.device.busID, holder, line)
    await held.begin(session, control: control, hubPort: hubPort)
  }

  /// The process of a session has ended.
  func end(_ session: SessionNumber) async {
    for (busID, entry) in lines where entry.holder.session == session {
      lines[busID] = nil
      await held.end(busID.description)
      await entry.line.end()
    }
  }

  /// Tells the session that serves the device at `busID` to end; its device is given back then.
  func end(serving busID: BusID) {
    lines[busID]?.holder.end()
  }

  /// Who serves the device at `busID`; `nil` where nobody does.
  func holder(_ busID: BusID) -> Holder? { lines[busID]?.holder }

  /// The line to the session that serves the device at `busID`; `nil` where none does.
  func line(_ busID: BusID) -> SessionLine? { lines[busID]?.line }
}

extension LiveExports.Holder {
  /// The session of `process`, which is killed where it does not end when it is told to.
  init(session: SessionNumber, agent: AgentAddress?, process: SessionProcess) {
    self.init(session: session, agent: agent) {
      process.terminate()
      // Ends by itself; a process that has ended is not harmed.
      Task {
        try? await Task.sleep(for: SessionHost.endLimit)
        process.kill()
      }
    }
  }
}
