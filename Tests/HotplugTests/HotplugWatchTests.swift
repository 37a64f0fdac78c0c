// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import Testing
import USBModel

@testable import Hotplug

/// With this machine's own udev, whatever hangs on its buses.
@Suite(.enabled(if: !MockUdev.isThere), .timeLimit(.minutes(1))) struct HotplugWatchTests {
  @Test func listsAndThenEndsWhenStopped() async throws {
    let watch = try HotplugWatch()
    var events: [HotplugEvent] = []
    for await event in watch.events {
      events.append(event)
      if event == .listed { watch.stop() }
    }
    #expect(events.contains(.listed))
    let names = events.compactMap { event in
      if case .added(let device) = event { device.sysfsPath } else { nil }
    }
    #expect(Set(names).count == names.count)
    watch.stop()
  }

  @Test func endsWhenItIsLetGo() async throws {
    var watch: HotplugWatch? = try HotplugWatch()
    let events = try #require(watch?.events)
    watch = nil
    for await _ in events {}
  }

  @Test func givesBackItsDescriptors() async throws {
    // Each watch has at least a netlink socket and an eventfd; 1,024 is the usual limit.
    for _ in 0..<600 {
      let watch = try HotplugWatch()
      watch.stop()
      for await _ in watch.events {}
    }
  }
}
