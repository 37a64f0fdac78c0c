// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import Sharing
internal import USBModel

/// The sessions that serve a device of this machine at this moment, by its bus ID.
actor LiveExports {
  private var lines: [BusID: (session: SessionNumber, line: SessionLine)] = [:]

  /// A session has got the device at `busID`.
  func begin(_ busID: BusID, _ session: SessionNumber, _ line: SessionLine) {
    lines[busID] = (session, line)
  }

  /// The process of a session has ended.
  func end(_ session: SessionNumber) async {
    for (busID, entry) in lines where entry.session == session {
      lines[busID] = nil
      await entry.line.end()
    }
  }

  /// The line to the session that serves the device at `busID`; `nil` where none does.
  func line(_ busID: BusID) -> SessionLine? { lines[busID]?.line }
}
