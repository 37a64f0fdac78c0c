// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import Testing
import USBModel

@Suite struct BusIDTests {
  @Test(arguments: ["1-1", "3-2.1", "3-2.1.4.7", "127-15", "10-20.30", "255-255"])
  func acceptsWhatTheKernelWrites(text: String) throws {
    #expect(try #require(BusID(text)).description == text)
  }

  @Test(arguments: [
    "", "1", "-", "1-", "-1", "usb1", "1-1.", "1-.1", "1..1", "1-1..2", "1.1-2", "1-2-3", "1-1:1.0",
    " 1-1", "1-1 ", "1-1\n", "1-1\0", "1_1", "a-b", "1-x", "+1-1", "1-+1", "../1-1", "1-1/..",
    "1000-1", "1-1000", "01-1", "1-01", "0-1", "1-0", "1-1.0", "１-１", "1−1", "1-1\u{301}",
  ])
  func refusesTheRest(text: String) { #expect(BusID(text) == nil) }

  @Test func takesAtMostTheBytesOfTheWireField() {
    let longest = "1-1" + String(repeating: ".1", count: 14)
    #expect(longest.utf8.count == BusID.maximumLength)
    #expect(BusID(longest) != nil)
    #expect(BusID(longest + "1") == nil)
  }

  @Test func tellsParentPortAndBus() throws {
    let deep = try #require(BusID("3-2.14.5"))
    #expect(deep.bus == 3)
    #expect(deep.port == 5)
    #expect(deep.parent == BusID("3-2.14"))
    #expect(deep.parent?.parent == BusID("3-2"))
    #expect(deep.parent?.port == 14)
    #expect(deep.parent?.parent?.parent == nil)
    #expect(deep.parent?.parent?.port == 2)
    #expect(deep.rootHubName == "usb3")
  }
}
