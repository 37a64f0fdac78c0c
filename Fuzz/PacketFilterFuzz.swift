// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import PacketFilter

/// The ruleset of the packet filter, as another program tells it.
///
/// Whatever it says is read or refused, and judging it ends.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzPacketFilter(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  // SAFETY: libFuzzer passes `count` readable bytes that live as long as this call.
  let input = [UInt8](UnsafeBufferPointer(start: start, count: count))
  do throws(PacketFilterError) {
    let filter = try PacketFilter(json: input)
    for family in Packet.Family.allCases {
      let names = ["lan", "eth0"]
      let packet = Packet(.tcp, port: 3240, family: family, interfaces: names)
      let fate = filter.fate(of: packet)
      precondition(fate == filter.fate(of: packet), "another fate the second time")
      _ = filter.fate(of: .multicastDNS(family, interfaces: names))
    }
  } catch {
    precondition(error == .malformed, "not too long")
  }
  return 0
}
