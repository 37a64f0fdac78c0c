// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import Testing
import USBModel

@Suite struct EndpointTableTests {
  private let descriptors: DeviceDescriptors

  init() throws { descriptors = try DeviceDescriptors(parsing: SampleDescriptors.all) }

  /// The addresses of all endpoints in the table, with their types.
  private func content(_ table: EndpointTable) -> [UInt8: TransferType] {
    var found: [UInt8: TransferType] = [:]
    for endpoint in UInt8(0)...15 {
      found[endpoint] = table.type(endpoint: endpoint, isIn: false)
      found[endpoint | 0x80] = table.type(endpoint: endpoint, isIn: true)
    }
    return found
  }

  @Test func beginsWithTheFirstAltsettings() {
    let table = EndpointTable(descriptors: descriptors, configuration: 5)
    #expect(
      content(table)
        == [
          0x00: .control, 0x80: .control, 0x81: .interrupt, 0x84: .bulk, 0x04: .isochronous,
        ])
    #expect(table.interfaceNumbers == [0, 2])
    #expect(table.maximumPacketSize(endpoint: 1, isIn: true) == 16)
    #expect(table.maximumPacketSize(endpoint: 4, isIn: false) == 1023)
    #expect(table.maximumPacketSize(endpoint: 0, isIn: true) == 64)
    #expect(table.interface(owning: 0x84) == 2)
    #expect(table.interface(owning: 0x81) == 0)
    #expect(table.interface(owning: 0x01) == nil)
    #expect(table.interface(owning: 0x00) == nil)
  }

  @Test func followsSetInterface() {
    var table = EndpointTable(descriptors: descriptors, configuration: 5)
    let before = content(table)
    let selected1 = table.select(interface: 0, alternate: 1)
    #expect(selected1)
    #expect(
      content(table)
        == [
          0x00: .control, 0x80: .control, 0x81: .interrupt, 0x02: .bulk, 0x83: .isochronous,
          0x84: .bulk, 0x04: .isochronous,
        ])
    #expect(table.maximumPacketSize(endpoint: 1, isIn: true) == 32)
    #expect(table.maximumPacketSize(endpoint: 3, isIn: true) == 1024)
    #expect(table.intervalPayload(endpoint: 3, isIn: true) == 3 * 1024)
    #expect(table.alternate(of: 0) == 1)
    #expect(table.alternate(of: 2) == 0)
    let selected2 = table.select(interface: 0, alternate: 0)
    #expect(selected2)
    #expect(content(table) == before)
  }

  @Test func staysAsItIsOnNonsense() {
    var table = EndpointTable(descriptors: descriptors, configuration: 5)
    let before = content(table)
    let selected3 = table.select(interface: 0, alternate: 2)
    #expect(!selected3)
    let selected4 = table.select(interface: 1, alternate: 0)
    #expect(!selected4)
    let selected5 = table.select(interface: 255, alternate: 255)
    #expect(!selected5)
    #expect(content(table) == before)
    #expect(table.alternate(of: 0) == 0)
    #expect(table.alternate(of: 1) == nil)
  }

  @Test(arguments: [UInt8(0), 1, 7, 255])
  func hasOnlyTheDefaultPipeWithoutConfiguration(value: UInt8) {
    let table = EndpointTable(descriptors: descriptors, configuration: value)
    #expect(content(table) == [0x00: .control, 0x80: .control])
    #expect(table.interfaceNumbers.isEmpty)
  }

  @Test func entersAControlEndpointBothWays() {
    let table = EndpointTable(descriptors: descriptors, configuration: 6)
    #expect(table.type(endpoint: 5, isIn: false) == .control)
    #expect(table.type(endpoint: 5, isIn: true) == .control)
    #expect(table.intervalPayload(endpoint: 1, isIn: true) == 12_288)
  }

  @Test(arguments: [UInt8(16), 17, 32, 127, 128, 255])
  func hasNoEndpointAbove15(endpoint: UInt8) {
    let table = EndpointTable(descriptors: descriptors, configuration: 5)
    for isIn in [false, true] {
      #expect(table.type(endpoint: endpoint, isIn: isIn) == nil)
      #expect(table.maximumPacketSize(endpoint: endpoint, isIn: isIn) == nil)
      #expect(table.intervalPayload(endpoint: endpoint, isIn: isIn) == nil)
    }
    #expect(table.interface(owning: 0x10) == nil)
  }

  @Test func takesTheFirstAltsettingWhereThereIsNoZero() throws {
    let odd =
      SampleDescriptors.device
      + SampleDescriptors.configuration(
        value: 1, attributes: 0x80,
        [
          SampleDescriptors.interface(0, 2, 1, 1, 1), SampleDescriptors.endpoint(0x82, 2, 512, 0),
          SampleDescriptors.interface(0, 1, 1, 1, 1), SampleDescriptors.endpoint(0x81, 2, 512, 0),
          SampleDescriptors.interface(1, 0, 1, 1, 1), SampleDescriptors.endpoint(0x82, 3, 8, 0),
        ])
    var table = EndpointTable(
      descriptors: try DeviceDescriptors(parsing: odd), configuration: 1)
    #expect(table.alternate(of: 0) == 2)
    // Two interfaces name 0x82: the first keeps it.
    #expect(table.type(endpoint: 2, isIn: true) == .bulk)
    #expect(table.interface(owning: 0x82) == 0)
    let selected6 = table.select(interface: 1, alternate: 0)
    #expect(selected6)
    #expect(table.interface(owning: 0x82) == 0)
  }
}
