// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import Glibc
import Testing

@testable import USBHost

/// What works without a device; the rest is tried in the lab, on two machines with devices.
@Suite(.timeLimit(.minutes(1))) struct USBDeviceHandleTests {
  private static func openCount() -> Int {
    (0..<1024).count { fcntl(Int32($0), F_GETFD) >= 0 }
  }

  @Test(arguments: [-1, 1_000_000])
  func `a number that is not open is refused`(descriptor: Int32) {
    #expect(throws: USBError.self) { _ = try USBDeviceHandle(wrapping: descriptor) }
  }

  @Test(arguments: ["/dev/null", "/dev/zero", "/etc/passwd", "/"])
  func `what is no USB device is refused, and stays open`(path: String) throws {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    try #require(descriptor >= 0)
    #expect(throws: USBError.self) { _ = try USBDeviceHandle(wrapping: descriptor) }
    #expect(fcntl(descriptor, F_GETFD) >= 0)
    close(descriptor)
  }

  @Test func `a refused descriptor leaves nothing behind, a hundred times`() async {
    await #expect(processExitsWith: .success) {
      _ = try? USBDeviceHandle(wrapping: -1)
      let before = USBDeviceHandleTests.openCount()
      for _ in 0..<100 { _ = try? USBDeviceHandle(wrapping: -1) }
      // The test library opens a few of its own meanwhile; a leak would be a hundred at least.
      try #require(USBDeviceHandleTests.openCount() < before + 20)
    }
  }
}
