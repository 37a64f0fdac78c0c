// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import Attaching
import Testing

@Suite struct DeviceNumbersTests {
  @Test func eachDeviceGetsOneNumberOnce() {
    var numbers = DeviceNumbers()
    #expect(numbers.number("a/x", name: "X", host: "alpha") == (1, true))
    #expect(numbers.number("a/y", name: "Y", host: "alpha") == (2, true))
    #expect(numbers.number("a/x", name: "X", host: "alpha") == (1, false))
    #expect(numbers.number("b/x", name: "X", host: "beta") == (3, true))
  }

  @Test func aNewNameIsKeptUnderTheOldNumber() {
    var numbers = DeviceNumbers()
    _ = numbers.number("a/x", name: "X", host: "alpha")
    #expect(numbers.number("a/x", name: "X2", host: "alpha") == (1, true))
    #expect(numbers.number("a/x", name: "X2", host: "delta") == (1, true))
    let kept = numbers.entry(id: 1)
    #expect(kept?.key == "a/x")
    #expect(kept?.entry.name == "X2")
    #expect(kept?.entry.host == "delta")
    #expect(numbers.entry(id: 2) == nil)
  }

  @Test func theNumbersSurviveARestart() throws {
    var numbers = DeviceNumbers()
    for device in 1...50 { _ = numbers.number("a/\(device)", name: "N\(device)", host: "alpha") }
    let bytes = try Message.encode(numbers)
    var again = try Message.decode(DeviceNumbers.self, from: bytes.dropLast())
    #expect(again == numbers)
    for device in 1...50 {
      #expect(again.number("a/\(device)", name: "N\(device)", host: "alpha") == (device, false))
    }
    #expect(again.number("a/new", name: "New", host: "alpha") == (51, true))
  }

  @Test func aForgottenNumberIsNotGivenToAnother() {
    var numbers = DeviceNumbers()
    for device in 0..<DeviceNumbers.maximum {
      _ = numbers.number("a/\(device)", name: "N", host: "alpha")
    }
    #expect(numbers.number("a/new", name: "N", host: "alpha").id == DeviceNumbers.maximum + 1)
    #expect(numbers.entry(id: 1) == nil)
    #expect(numbers.entry(id: 2) != nil)
  }

  /// The file may be edited by hand or half written by a dying disk.
  @Test(arguments: [
    #"{"entries":{},"next":9223372036854775807}"#, #"{"entries":{},"next":-9223372036854775808}"#,
    #"{"entries":{},"next":0}"#,
    #"{"entries":{"a/x":{"id":5,"name":"X","host":"h"}},"next":5}"#,
    #"{"entries":{"a/x":{"id":9223372036854775807,"name":"X","host":"h"}},"next":2}"#,
    #"{"entries":{"a/x":{"id":-3,"name":"X","host":"h"}},"next":-3}"#,
  ])
  func aStrangeFileNeitherTrapsNorGivesANumberTwice(text: String) throws {
    var numbers =
      (try? Message.decode(DeviceNumbers.self, from: Array(text.utf8))) ?? DeviceNumbers()
    var seen: Set<Int> = []
    for device in ["a/x", "a/new", "a/newer", "a/newest"] {
      let id = numbers.number(device, name: "N", host: "h").id
      #expect(id > 0)
      #expect(seen.insert(id).inserted)
    }
  }
}
