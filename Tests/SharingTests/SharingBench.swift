// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import Logging
import SharePolicy
import Sharing
import TestSupport
import Testing
import USBModel

/// One machine that shares its devices, with a fake kernel below.
struct SharingBench {
  let undo = MemoryUndoBook()
  let door: FakeExportDoor
  let inventory: SharedInventory<FakeExportDoor>
  let changes: ChangeWatch
  let disk = DeviceSamples.disk()
  let mouse = DeviceSamples.mouse()
  let taka = RemoteUser(user: "taka", host: "beta")
  let hiro = RemoteUser(user: "hiro", host: "gamma")

  init() {
    door = FakeExportDoor(undo: undo)
    inventory = SharedInventory(
      door: door, policy: SharePolicy(), undo: undo,
      log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    changes = ChangeWatch(inventory.changes)
  }

  /// The disk as others see it; `nil` where it is not listed.
  var shownDisk: SharedDevice? {
    get async { await inventory.devices().first { $0.device.busID == disk.busID } }
  }

  /// What `acquire` of the disk throws; records an issue where it does not.
  func refusal(
    for user: RemoteUser, session: UInt64, sourceLocation: SourceLocation = #_sourceLocation
  ) async -> AgentError? {
    do throws(AgentError) {
      _ = try await inventory.acquire(disk.busID, for: user, session: SessionNumber(session))
      Issue.record("the device was given", sourceLocation: sourceLocation)
      return nil
    } catch {
      return error
    }
  }

  /// The events of the door without the looks.
  var done: [FakeExportDoor.Event] {
    door.log.events.filter { if case .looked = $0 { false } else { true } }
  }
}
