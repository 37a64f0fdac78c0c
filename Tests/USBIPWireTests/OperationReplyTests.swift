// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import Testing
import USBIPWire
import USBModel

@Suite struct OperationReplyTests {
  @Test func encodesAnImportAsTheTableSays() {
    let reply = OperationReply.importReply(SampleDevice.device)
    #expect(reply.count == 320)
    #expect(hex(reply) == hex(bytes("01 11 00 03 00 00 00 00") + SampleDevice.record))
  }

  @Test func encodesAListAsTheTableSays() {
    let reply = OperationReply.deviceList([SampleDevice.device, SampleDevice.other])
    #expect(
      hex(reply)
        == hex(
          bytes("01 11 00 05 00 00 00 00  00 00 00 02") + SampleDevice.record
            + SampleDevice.interfaces + SampleDevice.otherRecord))
    #expect(hex(OperationReply.deviceList([])) == hex(bytes("01 11 00 05 00 00 00 00 00 00 00 00")))
  }

  @Test(arguments: [
    (OperationCode.importDevice, OperationStatus.noDevice, "01 11 00 03 00 00 00 04"),
    (.importDevice, .busy, "01 11 00 03 00 00 00 02"),
    (.importDevice, .deviceError, "01 11 00 03 00 00 00 03"),
    (.importDevice, .notAvailable, "01 11 00 03 00 00 00 01"),
    (.deviceList, .unexpected, "01 11 00 05 00 00 00 05"),
  ])
  func encodesAFailure(code: OperationCode, status: OperationStatus, text: String) {
    #expect(hex(OperationReply.failure(code, status)) == hex(bytes(text)))
  }

  @Test func says5ForSuperSpeedPlus() {
    var device = SampleDevice.device
    device.speed = .superSpeedPlus
    #expect(Array(OperationReply.importReply(device)[304..<308]) == [0, 0, 0, 5])
  }

  @Test func keepsTextsWithinTheirFields() {
    var device = SampleDevice.device
    device.sysfsPath = String(repeating: "p", count: 300)
    let reply = OperationReply.importReply(device)
    #expect(reply.count == 320)
    #expect(Array(reply[8..<264]) == [UInt8](repeating: 0x70, count: 255) + [0])
  }

  @Test func countsAtMost255Interfaces() throws {
    var device = SampleDevice.device
    device.interfaces = (0..<300).map {
      Interface(number: UInt8($0 & 0xFF), classCode: ClassCode(UInt8($0 & 0xFF)))
    }
    let reply = OperationReply.deviceList([device, SampleDevice.other])
    #expect(reply.count == 12 + 312 + 255 * 4 + 312)
    var parser = OperationReplyParser(expecting: .deviceList)
    parser.append(reply)
    guard case .deviceList(let devices) = try parser.next() else {
      Issue.record("no list")
      return
    }
    #expect(devices.map(\.interfaces.count) == [255, 0])
    #expect(devices.first?.interfaces.map(\.classCode.baseClass) == Array(0..<255))
  }

  @Test func listsNoMoreThanAnImporterTakes() throws {
    let many = [Device](repeating: SampleDevice.other, count: WireLimits.maximumListedDevices + 1)
    var parser = OperationReplyParser(expecting: .deviceList)
    parser.append(OperationReply.deviceList(many))
    #expect(try parser.next() == .deviceList(Array(many.dropLast())))
    #expect(parser.remainder == [])
  }
}
