// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import SystemPackage
import TestSupport
import Testing
import USBModel

@testable import Agent

@Suite struct StorageSafetyTests {
  let storage = StorageSafety(name: "Cruzer Blade", id: 3)

  @Test(arguments: [
    (
      LocalUse.mounted(node: "/dev/sdb1", path: "/mnt"), "/dev/sdb1 is mounted on /mnt",
      "umount /mnt, then: devconfig down 3; or devconfig down --force 3"
    ),
    (
      .swap(node: "/dev/sdb2"), "/dev/sdb2 is swap space of its machine",
      "swapoff /dev/sdb2, then: devconfig down 3"
    ),
    (
      .held(node: "/dev/sdb", holder: "md0"), "/dev/sdb is part of md0",
      "take /dev/sdb out of md0, then: devconfig down 3"
    ),
  ])
  func whatIsStoredIsNotTakenAway(use: LocalUse, reason: String, hint: String) throws {
    let error = #expect(throws: AgentError.self) {
      try storage.check([.open(node: "/dev/sg1", program: "x", process: 7), use], force: false)
    }
    #expect(error?.kind == .inUse)
    #expect(error?.message == "Cruzer Blade is in use on this machine: \(reason)")
    #expect(error?.hint == hint)
  }

  @Test func forceIsForWhatCanBeWrittenFirst() throws {
    let mounted = LocalUse.mounted(node: "/dev/sdb1", path: "/mnt")
    try storage.check([mounted], force: true)
    #expect(throws: AgentError.self) {
      try storage.check([mounted, .swap(node: "/dev/sdb2")], force: true)
    }
  }

  @Test func otherUsesAreNoneOfItsBusiness() throws {
    try storage.check(
      [
        .keyboard(node: "/dev/input/event3", owner: "agetty on tty1"), .network(interface: "eth1"),
        .open(node: "/dev/ttyUSB0", program: "picocom", process: 4),
      ], force: false)
  }

  @Test func whatIsWrittenAndWhatNotIsSaid() async throws {
    let tree = try SysfsTree()
    let here = LocalUse.mounted(node: "/dev/sdb1", path: tree.root.string)
    let gone = LocalUse.mounted(node: "/dev/sdb2", path: "/nonexistent")
    let notes = await storage.synchronize([here, .network(interface: "eth1"), gone])
    #expect(notes.count == 2)
    #expect(notes.first?.hasPrefix("\(tree.root): everything is written, and /dev/sdb1 is") == true)
    #expect(notes.last?.hasPrefix("/nonexistent: not everything could be written (") == true)
    #expect(notes.last?.hasSuffix("next: umount -l /nonexistent") == true)
  }
}
