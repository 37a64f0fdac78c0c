// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import Testing
import USBModel

@Suite struct VendorProductTests {
  @Test func readsAndWrites() throws {
    let pair = try #require(VendorProduct("046d:C31c"))
    #expect(pair == VendorProduct(vendor: 0x046D, product: 0xC31C))
    #expect(pair.description == "046d:c31c")
    #expect(VendorProduct(vendor: 0, product: 0xA).description == "0000:000a")
    #expect(VendorProduct("ffff:0000") == VendorProduct(vendor: 0xFFFF, product: 0))
  }

  @Test(arguments: [
    "", ":", "046d", "046d:", ":c31c", "46d:c31c", "046d:c31c:", "046d:c31c:0000", "046d c31c",
    "046d:c31g", "+46d:c31c", "-46d:c31c", "0x46:c31c", "046d:c31c ", "Ａ1:c31c", "046d:00c31c",
  ])
  func refusesTheRest(text: String) { #expect(VendorProduct(text) == nil) }
}
