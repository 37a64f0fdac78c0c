// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import Testing
import USBModel

@Suite struct DeviceDescriptorsTests {
  @Test func readsTheDeviceDescriptor() throws {
    let found = try DeviceDescriptors(parsing: SampleDescriptors.device)
    #expect(found.usbRelease == 0x0210)
    #expect(found.classCode == ClassCode(0xEF, 0x22, 0x33))
    #expect(found.maximumPacketSize0 == 64)
    #expect(found.vendorProduct == VendorProduct(vendor: 0x046D, product: 0xC31C))
    #expect(found.release == 0x0756)
    #expect(found.configurationCount == 2)
    #expect(found.configurations.isEmpty)
    #expect(found.defaultPacketSize == 64)
  }

  @Test func readsAllConfigurations() throws {
    let found = try DeviceDescriptors(parsing: SampleDescriptors.all)
    #expect(found.configurations.map(\.value) == [5, 6])
    #expect(found.configuration(7) == nil)
    let first = try #require(found.configuration(5))
    #expect(first.attributes == 0xA0)
    #expect(first.interfaces.map(\.number) == [0, 0, 2])
    #expect(first.interfaces.map(\.alternate) == [0, 1, 0])
    #expect(first.interfaces[1].classCode == ClassCode(0x0E, 0x02, 0x03))
    #expect(first.interfaces[1].endpoints.map(\.address) == [0x81, 0x02, 0x83])
    #expect(first.interfaces[1].endpoints.map(\.interval) == [9, 0, 1])
    #expect(
      first.interfaces[1].endpoints.map(\.transferType) == [.interrupt, .bulk, .isochronous])
    #expect(first.interfaces[2].endpoints.map(\.maximumPacketSize) == [0x0200, 0x03FF])
  }

  @Test func readsSuperSpeedCompanions() throws {
    let found = try DeviceDescriptors(parsing: SampleDescriptors.all)
    let endpoints = try #require(found.configuration(6)?.interfaces.first?.endpoints)
    #expect(endpoints.map(\.maximumBurst) == [3, 15, 15, nil])
    #expect(endpoints.map(\.companionAttributes) == [2, 4, 0x80, 0])
    #expect(endpoints.map(\.bytesPerInterval) == [nil, nil, 0x1234_5678, nil])
    #expect(endpoints.map(\.intervalPayload) == [1024 * 4 * 3, 1024 * 16, 0x1234_5678, 64])
  }

  @Test func knowsTheSizeOfTheDefaultPipe() throws {
    var bytes = SampleDescriptors.device
    (bytes[2], bytes[3], bytes[7]) = (0x20, 0x03, 9)
    #expect(try DeviceDescriptors(parsing: bytes).defaultPacketSize == 512)
    bytes[7] = 255
    #expect(try DeviceDescriptors(parsing: bytes).defaultPacketSize == 255)
  }

  @Test func refusesAnyTruncation() throws {
    let bytes = SampleDescriptors.all
    // What ends between two descriptors is whole, as far as the walk can tell.
    var boundaries: Set<Int> = []
    var offset = 0
    while offset < bytes.count {
      offset += Int(bytes[offset])
      boundaries.insert(offset)
    }
    for count in 0..<bytes.count {
      let cut = Array(bytes.prefix(count))
      if boundaries.contains(count) {
        #expect(throws: Never.self) { try DeviceDescriptors(parsing: cut) }
      } else {
        #expect(
          throws: DescriptorError.truncated(offset: boundaries.filter { $0 <= count }.max() ?? 0)
        ) { try DeviceDescriptors(parsing: cut) }
      }
    }
  }

  @Test func survivesAnyByteAtAnyPlace() {
    for place in SampleDescriptors.all.indices {
      for value in UInt8.min...UInt8.max {
        var bytes = SampleDescriptors.all
        bytes[place] = value
        guard let found = try? DeviceDescriptors(parsing: bytes) else { continue }
        for configuration in found.configurations {
          var table = EndpointTable(descriptors: found, configuration: configuration.value)
          // Of two configurations with one value the first is meant.
          for interface in found.configuration(configuration.value)?.interfaces ?? [] {
            let selected = table.select(interface: interface.number, alternate: interface.alternate)
            #expect(selected)
          }
        }
      }
    }
  }

  @Test func refusesADescriptorOfNoLength() {
    for length: UInt8 in [0, 1] {
      var bytes = SampleDescriptors.all
      let place = SampleDescriptors.device.count + 9
      bytes[place] = length
      #expect(throws: DescriptorError.invalidLength(offset: place, length: length)) {
        try DeviceDescriptors(parsing: bytes)
      }
    }
    #expect(throws: DescriptorError.invalidLength(offset: 0, length: 17)) {
      try DeviceDescriptors(parsing: [17] + SampleDescriptors.device.dropFirst())
    }
    #expect(throws: DescriptorError.invalidLength(offset: 18, length: 8)) {
      try DeviceDescriptors(parsing: SampleDescriptors.device + [8, 2, 8, 0, 0, 1, 0, 0])
    }
  }

  @Test func refusesAnotherTypeInFront() {
    #expect(throws: DescriptorError.unexpectedType(offset: 0, type: 2)) {
      try DeviceDescriptors(parsing: [18, 2] + SampleDescriptors.device.dropFirst(2))
    }
    #expect(throws: DescriptorError.unexpectedType(offset: 18, type: 4)) {
      try DeviceDescriptors(
        parsing: SampleDescriptors.device + SampleDescriptors.interface(0, 0, 1, 2, 3))
    }
  }

  @Test func boundsTheLength() {
    let most = DeviceDescriptors.maximumLength
    #expect(throws: DescriptorError.tooLong(count: most + 1)) {
      try DeviceDescriptors(parsing: [UInt8](repeating: 0, count: most + 1))
    }
  }

  @Test(arguments: [0, 9, 10, 4000, 65_535])
  func doesNotBelieveTheTotalLength(declared: Int) throws {
    let parts = [
      SampleDescriptors.interface(0, 0, 8, 6, 80), SampleDescriptors.endpoint(0x81, 2, 512, 0),
    ]
    let lying = SampleDescriptors.configuration(
      value: 1, attributes: 0x80, parts, declared: declared)
    let found = try DeviceDescriptors(
      parsing: SampleDescriptors.device + lying + SampleDescriptors.second)
    #expect(found.configurations.map(\.value) == [1, 6])
    #expect(found.configuration(1)?.interfaces.first?.endpoints.count == 1)
    #expect(found.configuration(6)?.interfaces.first?.endpoints.count == 4)
  }

  @Test func skipsTheHoleThatUsbfsLeaves() throws {
    let parts = [SampleDescriptors.interface(0, 0, 8, 6, 80)]
    let short = SampleDescriptors.configuration(value: 1, attributes: 0x80, parts, declared: 40)
    let hole = [UInt8](repeating: 0, count: 40 - short.count)
    let found = try DeviceDescriptors(
      parsing: SampleDescriptors.device + short + hole + SampleDescriptors.second)
    #expect(found.configurations.map(\.value) == [1, 6])
    var dirty = hole
    dirty[5] = 1
    #expect(throws: DescriptorError.invalidLength(offset: 18 + short.count, length: 0)) {
      try DeviceDescriptors(
        parsing: SampleDescriptors.device + short + dirty + SampleDescriptors.second)
    }
  }

  @Test func skipsWhatUsbcoreSkips() throws {
    let bytes =
      SampleDescriptors.device
      + SampleDescriptors.configuration(
        value: 1, attributes: 0x80,
        [
          SampleDescriptors.endpoint(0x86, 2, 1, 0),  // before any interface
          SampleDescriptors.interface(0, 0, 1, 2, 3),
          [6, 0x30, 1, 1, 1, 1],  // companion of nothing
          [6, 0x05, 0x81, 2, 0, 2],  // endpoint too short
          [6, 0x30, 1, 1, 1, 1],  // and its companion
          SampleDescriptors.endpoint(0x80, 2, 1, 0),  // endpoint 0
          SampleDescriptors.endpoint(0x82, 2, 512, 0),
          [5, 0x30, 1, 1, 1],  // companion too short
          [7, 0x31, 0, 0, 1, 1, 1],  // likewise
          [8, 0x04, 1, 0, 0, 1, 2, 3],  // interface too short
          SampleDescriptors.endpoint(0x83, 2, 512, 0),  // and its endpoint
          SampleDescriptors.interface(3, 0, 1, 2, 3),
        ])
    let found = try DeviceDescriptors(parsing: bytes).configurations
    #expect(found.first?.interfaces.map(\.number) == [0, 3])
    #expect(
      found.first?.interfaces.first?.endpoints
        == [EndpointDescriptor(address: 0x82, attributes: 2, maximumPacketSize: 512)])
    #expect(found.first?.interfaces.last?.endpoints == [])
  }
}
