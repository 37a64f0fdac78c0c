// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import Testing
import USBModel

@testable import Hotplug

@Suite struct SysfsPlaceTests {
  @Test(arguments: [
    ("/sys/devices/pci0000:00/0000:00:14.0/usb1/1-1", "1-1", "/1-1"),
    ("/sys/devices/pci0000:00/0000:00:14.0/usb1/1-1/1-1.4", "1-1.4", "/1-1/1-1.4"),
    ("/sys/devices/x/usb1/1-1/1-1.4/1-1.4.2/1-1.4.2:1.0", "1-1.4.2", "/1-1/1-1.4/1-1.4.2"),
    (
      "/sys/devices/x/usb2/2-3/2-3:1.0/host6/target6:0:0/6:0:0:0/block/sda/sda1", "2-3", "/2-3"
    ),
    ("/sys/devices/x/usb1/1-2/1-2:1.0/0003:046D:C31C.0001/input/input5/event3", "1-2", "/1-2"),
    ("/sys/devices/platform/vhci_hcd.0/usb5/5-1/5-1:1.0/ttyUSB0/tty/ttyUSB0", "5-1", "/5-1"),
    // An I2C adapter in a device names its clients like bus IDs.
    ("/sys/devices/x/usb1/1-2/1-2:1.0/i2c-7/7-80", "1-2", "/1-2"),
    ("/sys/devices/x/usb1/1-2/7-80", "1-2", "/1-2"),
    ("/sys/devices/i2c-1/1-80/x/usb1/1-3", "1-3", "/1-3"),
  ])
  func findsTheInnermostDevice(path: String, busID: String, tail: String) throws {
    let place = try #require(SysfsPlace(path))
    #expect(place.busID.description == busID)
    #expect(place.devicePath.hasSuffix(tail))
    #expect(path.hasPrefix(place.devicePath))
  }

  @Test(arguments: [
    "", "/", "/sys/devices/x/usb1", "/sys/devices/x/usb1/1-0:1.0", "/sys/devices/x/net/eth0",
    "/sys/devices/x/usb2/1-1", "/sys/devices/x/1-1", "1-1", "/sys/devices/x/usb1/1-1.4",
  ])
  func findsNone(path: String) {
    #expect(SysfsPlace(path) == nil)
  }
}
