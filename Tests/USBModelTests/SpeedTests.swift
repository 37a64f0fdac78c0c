// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import Testing
import USBModel

@Suite struct SpeedTests {
  @Test(arguments: [
    ("1.5", Speed.low, 1), ("12", .full, 2), ("480", .high, 3), ("5000", .superSpeed, 5),
    ("10000", .superSpeedPlus, 6), ("20000", .superSpeedPlus, 6),
  ])
  func readsSysfs(text: String, speed: Speed, code: UInt32) {
    #expect(Speed(sysfs: text) == speed)
    #expect(speed.rawValue == code)
  }

  @Test(arguments: ["", "unknown", "0", "12\n", "480.0", "5", "1,5"])
  func refusesTheRest(text: String) { #expect(Speed(sysfs: text) == nil) }

  @Test func saysNothingOnTheWireThatOldKernelsRefuse() {
    #expect(Speed.allCases.map(\.onWire.rawValue) == [1, 2, 3, 4, 5, 5])
    #expect(Speed(rawValue: 0) == nil)
    #expect(Speed(rawValue: 7) == nil)
  }

  @Test func needsASuperSpeedPortFromFiveOn() {
    #expect(Speed.allCases.filter(\.needsSuperSpeedPort) == [.superSpeed, .superSpeedPlus])
  }
}
