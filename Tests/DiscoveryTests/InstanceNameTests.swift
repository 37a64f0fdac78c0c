// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import Testing
import USBModel

@testable import Discovery

@Suite struct InstanceNameTests {
  @Test func joinsNameHostAndPlace() throws {
    var name = InstanceName(device: "Logitech M4848", busID: try #require(BusID("1-1.4")))
    #expect(name.text(host: "gamma") == "Logitech M4848 on gamma (1-1.4)")
    name.attempt = 2
    #expect(name.text(host: "gamma") == "Logitech M4848 on gamma (1-1.4) #2")
  }

  @Test func keepsHostAndPlaceWhenTheNameIsLong() throws {
    let name = InstanceName(
      device: String(repeating: "n", count: 80), busID: try #require(BusID("1-1")))
    #expect(name.text(host: "gamma") == String(repeating: "n", count: 48) + " on gamma (1-1)")
  }

  @Test func keepsThePlaceAtEveryLengthOfNameAndHost() throws {
    let pattern = Array("a\u{E9}\u{20AC}\u{1F50C}")
    for busID in ["1-1", "255-255.255.255.255.255.255.255"].compactMap({ BusID($0) }) {
      for attempt in [1, 2, 99_999] {
        for nameLength in 0...70 {
          for hostLength in stride(from: 0, through: 66, by: 3) {
            let device = String((0..<nameLength).map { pattern[$0 % 4] })
            let host = String((0..<hostLength).map { pattern[($0 + 1) % 4] })
            let text = InstanceName(device: device, busID: busID, attempt: attempt)
              .text(host: host)
            #expect(text.utf8.count <= InstanceName.maximumLength)
            #expect(text.contains("(\(busID))"))
            #expect(attempt == 1 || text.hasSuffix(" #\(attempt)"))
            let fits = "\(device) on \(host) (\(busID))".utf8.count <= 63
            #expect(!fits || attempt > 1 || text == "\(device) on \(host) (\(busID))")
          }
        }
      }
    }
  }

  @Test func dropsWhatATerminalWouldObey() throws {
    let name = InstanceName(device: "a\u{1b}[31mb\n", busID: try #require(BusID("1-1")))
    #expect(name.text(host: "x\u{7}y") == "a[31mb on xy (1-1)")
  }
}
