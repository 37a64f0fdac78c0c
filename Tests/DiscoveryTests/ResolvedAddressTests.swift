// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import Testing

@testable import Discovery

@Suite struct ResolvedAddressTests {
  @Test(arguments: [
    ([10, 9, 0, 1], "10.9.0.1", ResolvedAddress.Rank.internet),
    ([169, 254, 3, 4], "169.254.3.4", .linkLocal),
    ([169, 253, 3, 4], "169.253.3.4", .internet),
    ([127, 0, 1, 1], "127.0.1.1", .loopback),
  ])
  func ranksFourBytes(bytes: [UInt8], text: String, rank: ResolvedAddress.Rank) throws {
    let address = try #require(ResolvedAddress(bytes: bytes, text: text, scope: "eth0"))
    #expect(address.text == text)
    #expect(address.rank == rank)
  }

  @Test(arguments: [
    (0xFE, 0x80, "fe80::1%eth0", ResolvedAddress.Rank.linkLocal6),
    (0xFE, 0xBF, "febf::1%eth0", .linkLocal6),
    (0xFE, 0xC0, "fec0::1", .internet6),
    (0xFD, 0x00, "fd00::1", .internet6),
    (0x20, 0x01, "2001::1", .internet6),
    (0x00, 0x00, "::1", .loopback),
  ])
  func ranksSixteenBytes(
    first: Int, second: Int, text: String, rank: ResolvedAddress.Rank
  ) throws {
    var bytes = [UInt8](repeating: 0, count: 16)
    bytes[0] = UInt8(first)
    bytes[1] = UInt8(second)
    bytes[15] = 1
    let plain = String(text.prefix { $0 != "%" })
    let address = try #require(ResolvedAddress(bytes: bytes, text: plain, scope: "eth0"))
    #expect(address.text == text)
    #expect(address.rank == rank)
  }

  @Test(arguments: [0, 3, 5, 15, 17])
  func refusesAnotherCount(count: Int) {
    let bytes = [UInt8](repeating: 1, count: count)
    #expect(ResolvedAddress(bytes: bytes, text: "?", scope: "lo") == nil)
  }
}
