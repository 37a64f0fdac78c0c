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

  @Test func aGivenNameIsKeptWithTheNumber() throws {
    var numbers = DeviceNumbers()
    _ = numbers.number("a/x", name: "X", host: "alpha")
    _ = numbers.number("a/y", name: "Y", host: "alpha")
    let name = try GivenName("Stempel")
    #expect(try numbers.give(name, to: "a/x") == true)
    #expect(try numbers.give(name, to: "a/x") == false)
    #expect(try numbers.give(try GivenName("Other"), to: "a/nobody") == false)
    // A new own name leaves it alone.
    #expect(numbers.number("a/x", name: "X2", host: "alpha") == (1, true))
    let again = try Message.decode(
      DeviceNumbers.self, from: try Message.encode(numbers).dropLast())
    #expect(again == numbers)
    #expect(again.given("a/x") == name)
    #expect(again.entry(given: "stempel")?.id == 1)
    #expect(try numbers.give(nil, to: "a/x") == true)
    #expect(numbers.given("a/x") == nil)
  }

  @Test func twoDevicesNeverHaveOneGivenName() throws {
    var numbers = DeviceNumbers()
    _ = numbers.number("a/x", name: "X", host: "alpha")
    _ = numbers.number("a/y", name: "Y", host: "alpha")
    _ = try numbers.give(try GivenName("Stempel"), to: "a/x")
    let error = #expect(throws: AgentError.self) {
      try numbers.give(try GivenName("STEMPEL"), to: "a/y")
    }
    #expect(error?.message == "STEMPEL is the name of device 1 already")
    #expect(numbers.given("a/y") == nil)
    // Another spelling for the same device is no conflict.
    #expect(try numbers.give(try GivenName("STEMPEL"), to: "a/x") == true)
  }

  @Test func anUnnamedDeviceIsForgottenBeforeANamedOne() throws {
    var numbers = DeviceNumbers()
    for device in 0..<DeviceNumbers.maximum {
      _ = numbers.number("a/\(device)", name: "N", host: "alpha")
    }
    _ = try numbers.give(try GivenName("Stempel"), to: "a/0")
    _ = numbers.number("a/new", name: "N", host: "alpha")
    #expect(numbers.entry(id: 1)?.key == "a/0")
    #expect(numbers.entry(id: 2) == nil)
  }

  @Test func aKeyOfTwoDevicesLeavesItsNumberToOne() throws {
    var numbers = DeviceNumbers()
    _ = numbers.number("a/v:p/s", name: "X", host: "alpha", place: "1-2")
    _ = try numbers.give(try GivenName("Stempel"), to: "a/v:p/s")
    #expect(numbers.place("a/v:p/s") == "1-2")
    #expect(!numbers.isAmbiguous("a/v:p/s"))
    #expect(numbers.split("a/v:p/s", heir: "a/v:p@1-2") == true)
    #expect(numbers.split("a/v:p/s", heir: "a/v:p@1-3") == false)
    #expect(numbers.isAmbiguous("a/v:p/s"))
    #expect(numbers.number("a/v:p@1-2", name: "X", host: "alpha", place: "1-2") == (1, false))
    #expect(numbers.given("a/v:p@1-2")?.description == "Stempel")
    #expect(numbers.number("a/v:p@1-3", name: "X", host: "alpha", place: "1-3") == (2, true))
    let again = try Message.decode(
      DeviceNumbers.self, from: try Message.encode(numbers).dropLast())
    #expect(again == numbers)
    #expect(again.isAmbiguous("a/v:p/s"))
  }

  @Test func aNumberMovesOnlyWhereThereIsNone() {
    var numbers = DeviceNumbers()
    _ = numbers.number("a/x", name: "X", host: "alpha")
    _ = numbers.number("a/y", name: "Y", host: "alpha")
    let (first, second, third) = (
      numbers.move(from: "a/x", to: "a/y"), numbers.move(from: "a/none", to: "a/z"),
      numbers.move(from: "a/x", to: "a/z")
    )
    #expect(!first && !second && third)
    #expect(numbers.entry(id: 1)?.key == "a/z")
  }

  @Test func strangeNamesInTheFileAreLeftOut() throws {
    let text = #"""
      {"entries":{"a/x":{"id":1,"name":"X","host":"h","given":"7"},
      "a/y":{"id":2,"name":"Y","host":"h","given":"\u001b[2J"},
      "a/z":{"id":3,"name":"Z","host":"h","given":12,"place":4},
      "a/v":{"id":4,"name":"V","host":"h","given":"Twin"},
      "a/w":{"id":5,"name":"W","host":"h","given":"TWIN"}},"next":6,"ambiguous":7}
      """#
    let numbers = try Message.decode(DeviceNumbers.self, from: Array(text.utf8))
    #expect(["a/x", "a/y", "a/z"].allSatisfy { numbers.given($0) == nil })
    #expect(["a/v", "a/w"].compactMap { numbers.given($0) }.count == 1)
    #expect((1...5).allSatisfy { numbers.entry(id: $0) != nil })
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
