// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import Attaching
import TestSupport
import Testing
import USBModel

@Suite struct ReadinessTests {
  static func seen(_ drivers: [String?], _ nodes: [String]) -> LocalObservation {
    LocalObservation(
      busID: DeviceSamples.busID("9-1"),
      interfaces: drivers.enumerated().map { number, driver in
        Interface(number: UInt8(number), classCode: ClassCode(0xFF), driver: driver)
      }, nodes: nodes)
  }

  @Test func withoutInterfacesItIsUnconfigured() {
    #expect(Readiness.judge(nil) == .unconfigured)
    #expect(Readiness.judge(Self.seen([], ["/dev/bus/usb/009/002"])) == .unconfigured)
  }

  @Test(arguments: [
    ("usb-storage", "/dev/sdb"), ("usb-storage", "/dev/sr0"), ("uas", "/dev/sdc"),
    ("uas", "/dev/sg2"), ("usbhid", "/dev/input/event5"), ("usbhid", "/dev/hidraw1"),
    ("cdc_acm", "/dev/ttyACM0"), ("ftdi_sio", "/dev/ttyUSB0"), ("pl2303", "/dev/ttyUSB1"),
    ("cp210x", "/dev/ttyUSB0"), ("ch341", "/dev/ttyUSB0"), ("option", "/dev/ttyUSB3"),
    ("qcserial", "/dev/ttyUSB0"), ("usblp", "/dev/usb/lp0"), ("uvcvideo", "/dev/video0"),
  ])
  func aDriverIsExpectedToMakeItsNode(driver: String, node: String) {
    #expect(Readiness.judge(Self.seen([driver], [])) == .expecting)
    #expect(Readiness.judge(Self.seen([driver], ["/dev/bus/usb/009/002"])) == .expecting)
    #expect(Readiness.judge(Self.seen([driver], [node])) == .ready)
  }

  @Test func aDriverThatMakesNoNodeIsReadyAtOnce() {
    #expect(Readiness.judge(Self.seen(["usbtest"], [])) == .ready)
  }

  @Test func someInterfacesWithoutADriverAreNotTheEnd() {
    #expect(Readiness.judge(Self.seen([nil], [])) == .driverless)
    #expect(Readiness.judge(Self.seen(["usbhid", nil], ["/dev/hidraw0"])) == .driverless)
    // The node of the bound one is waited for first.
    #expect(Readiness.judge(Self.seen(["usbhid", nil], [])) == .expecting)
  }

  @Test func eachDriverOfACompositeDeviceIsWaitedFor() {
    let drivers = ["cdc_acm", "usb-storage"]
    #expect(Readiness.judge(Self.seen(drivers, ["/dev/ttyACM0"])) == .expecting)
    #expect(Readiness.judge(Self.seen(drivers, ["/dev/sdb"])) == .expecting)
    #expect(Readiness.judge(Self.seen(drivers, ["/dev/sdb", "/dev/ttyACM0"])) == .ready)
  }
}
