// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import Testing
import USBIPWire
import USBModel

/// Rows 9 to 11, 14 and 15 of the checks of an exporter.
@Suite struct SubmitDispositionTests {
  /// Bulk IN 1, bulk OUT 2, isochronous IN 3, control 4, interrupt OUT 5.
  private let table: EndpointTable

  init() throws {
    let endpoints: [(UInt8, UInt8)] = [(0x81, 2), (0x02, 2), (0x83, 1), (0x04, 0), (0x05, 3)]
    let body: [UInt8] =
      [9, 4, 0, 0, 5, 0xFF, 0, 0, 0] + endpoints.flatMap { [7, 5, $0.0, $0.1, 64, 0, 1] }
    let device: [UInt8] = [18, 1, 0, 2, 0, 0, 0, 64, 1, 2, 3, 4, 5, 6, 0, 0, 0, 1]
    let head: [UInt8] = [9, 2, UInt8(body.count + 9), 0, 1, 1, 0, 0x80, 50]
    table = EndpointTable(
      descriptors: try DeviceDescriptors(parsing: device + head + body), configuration: 1)
  }

  private func disposition(
    _ endpoint: UInt8, isIn: Bool, packets: Int32 = 0, length: Int = 64,
    setup: SetupPacket = SetupPacket(requestType: 0, request: 0)
  ) throws -> SubmitDisposition {
    try Submit(
      seqnum: 1, devid: 2, isIn: isIn, endpoint: endpoint, length: length, packets: packets,
      setup: setup
    ).disposition(in: table)
  }

  @Test(arguments: [Int32(0), -1, .min, 1, 1024, .max])
  func ignoresPacketsOfOtherEndpoints(packets: Int32) throws {
    #expect(try disposition(1, isIn: true, packets: packets) == .transfer(.bulk))
    #expect(try disposition(2, isIn: false, packets: packets) == .transfer(.bulk))
    #expect(try disposition(5, isIn: false, packets: packets) == .transfer(.interrupt))
    #expect(try disposition(0, isIn: false, packets: packets) == .transfer(.control))
  }

  @Test func answersForAnEndpointThatIsNotThere() throws {
    for packets: Int32 in [0, -1, .min] {
      #expect(try disposition(9, isIn: true, packets: packets) == .answer(status: -2))
      #expect(try disposition(1, isIn: false, packets: packets) == .answer(status: -2))
      #expect(try disposition(2, isIn: true, packets: packets) == .answer(status: -2))
    }
  }

  @Test func closesWhereTheFramingIsAmbiguous() {
    for packets: Int32 in [1, 1024, .max] {
      #expect(throws: WireError.ambiguousFraming(endpoint: 9)) {
        try disposition(9, isIn: true, packets: packets)
      }
      #expect(throws: WireError.ambiguousFraming(endpoint: 3)) {
        try disposition(3, isIn: false, packets: packets)
      }
    }
  }

  @Test func boundsThePacketsOfAnIsochronousEndpoint() throws {
    #expect(try disposition(3, isIn: true, packets: 1) == .transfer(.isochronous))
    #expect(try disposition(3, isIn: true, packets: 1024) == .transfer(.isochronous))
    #expect(try disposition(3, isIn: true, packets: 0) == .answer(status: 0))
    for packets: Int32 in [-1, .min, 1025, .max] {
      #expect(throws: WireError.packetCountOutOfRange(packets)) {
        try disposition(3, isIn: true, packets: packets)
      }
    }
  }

  @Test func holdsControlTransfersToTheirSetup() throws {
    func control(_ requestType: UInt8, _ wLength: UInt16, isIn: Bool, _ length: Int) throws
      -> SubmitDisposition
    {
      try disposition(
        0, isIn: isIn, length: length,
        setup: SetupPacket(requestType: requestType, request: 6, length: wLength))
    }
    #expect(try control(0x80, 18, isIn: true, 18) == .transfer(.control))
    #expect(try control(0x80, 18, isIn: true, 64) == .transfer(.control))
    #expect(try control(0x80, 18, isIn: true, 17) == .answer(status: -32))
    #expect(try control(0x80, 18, isIn: false, 18) == .answer(status: -32))
    #expect(try control(0x21, 8, isIn: false, 8) == .transfer(.control))
    #expect(try control(0x21, 8, isIn: true, 8) == .answer(status: -32))
    #expect(try control(0x21, 0xFFFF, isIn: false, 8) == .answer(status: -32))
    // Without data stage the direction means nothing.
    for isIn in [false, true] {
      #expect(try control(0x80, 0, isIn: isIn, 0) == .transfer(.control))
      #expect(try control(0x00, 0, isIn: isIn, 0) == .transfer(.control))
    }
  }

  @Test func goesByTheDescriptorForOtherControlEndpoints() throws {
    let read = SetupPacket(requestType: 0xC0, request: 1, length: 9)
    #expect(try disposition(4, isIn: true, setup: read) == .transfer(.control))
    #expect(try disposition(4, isIn: false, setup: read) == .answer(status: -32))
    // A setup packet on a bulk endpoint means nothing.
    #expect(try disposition(2, isIn: false, setup: read) == .transfer(.bulk))
  }
}
