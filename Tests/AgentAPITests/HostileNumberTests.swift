// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import TestSupport
import Testing
import USBModel

/// Numbers in JSON that do not fit where they go: an error each, never a trap.
@Suite struct HostileNumberTests {
  /// The JSON of a device with `key` set to `value`.
  static func device(_ key: String, _ value: String) throws -> [UInt8] {
    let text = try MessageTests.text(DeviceSamples.opticalStatus)
    let start = try #require(text.firstRange(of: "\"\(key)\":")).upperBound
    let end = try #require(text[start...].firstIndex { $0 == "," || $0 == "}" })
    return Array((text[..<start] + value + text[end...]).utf8)
  }

  @Test(arguments: [
    "1e400", "-1e400", "1e19", "9223372036854775808", "-9223372036854775809", "3.5", "NaN",
    "Infinity", "-Infinity", "0x10", "1e", "--1", "\"3\"", "true", "null", "[3]", "{}",
    String(repeating: "9", count: 100_000), "1e" + String(repeating: "9", count: 1000),
  ])
  func anIDThatIsNoIntegerIsAMismatch(value: String) throws {
    let bytes = try Self.device("id", value)
    #expect(throws: AgentError.self) { try Message.decode(DeviceStatus.self, from: bytes) }
  }

  @Test(arguments: ["-1", "65536", "1e5", "99999999999999999999", "3240.5", "\"3240\"", "null"])
  func aPortOutOfRangeIsAMismatch(value: String) throws {
    let bytes = try Self.device("port", value)
    #expect(throws: AgentError.self) { try Message.decode(DeviceStatus.self, from: bytes) }
  }

  @Test(arguments: [("0", UInt16(0)), ("65535", 65535), ("1e3", 1000), ("3240.0", 3240)])
  func aPortInRangeIsTaken(value: String, port: UInt16) throws {
    let bytes = try Self.device("port", value)
    #expect(try Message.decode(DeviceStatus.self, from: bytes).port == port)
  }

  @Test(arguments: ["\"BUSY\"", "\"\"", "\"avail\"", "3", "null"])
  func aStateNobodyKnowsIsAMismatch(value: String) throws {
    let bytes = try Self.device("remote_state", value)
    #expect(throws: AgentError.self) { try Message.decode(DeviceStatus.self, from: bytes) }
  }

  @Test(arguments: [
    "\"1-1-1\"", "\"usb1\"", "\"1-\"", "\"../../etc\"", "\"1-1.2.\"", "\"1-1\\u0000\"",
    "\"1-1111\"", "\"\"", "7",
  ])
  func aBusIDThatIsNoneIsAMismatch(value: String) throws {
    let text = try MessageTests.text(DeviceSamples.disk())
    let bytes = Array(
      text.replacing(#""busID":"1-1.2""#, with: #""busID":\#(value)"#).utf8)
    #expect(throws: AgentError.self) { try Message.decode(Device.self, from: bytes) }
  }

  @Test(arguments: ["-1", "4294967296", "1e10", "0.5"])
  func aBusNumberOutOfRangeIsAMismatch(value: String) throws {
    let text = try MessageTests.text(DeviceSamples.disk())
    let bytes = Array(text.replacing(#""busNumber":1"#, with: #""busNumber":\#(value)"#).utf8)
    #expect(throws: AgentError.self) { try Message.decode(Device.self, from: bytes) }
  }

  @Test(arguments: ["1e400", "-9223372036854775809", "soon", "null"])
  func aDeadlineThatIsNoIntegerIsAMismatch(value: String) {
    let text = #"{"role":"export","peer":"p","deadline":\#(value)}"#
    #expect(throws: AgentError.self) {
      try Message.decode(SessionCalls.Assignment.self, from: Array(text.utf8))
    }
  }

  @Test(arguments: ["[-1]", "[1e400]", "[9223372036854775808]", "{}", "[\"1\"]"])
  func anUndoRecordWithBadPortsIsAMismatch(value: String) {
    let text = #"{"claimed":[],"ports":\#(value)}"#
    let record = try? Message.decode(UndoRecord.self, from: Array(text.utf8))
    // A negative port is a number all the same: no port of the kernel has it, nothing happens.
    #expect(record == nil || record?.ports == [-1])
  }
}
