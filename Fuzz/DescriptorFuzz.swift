// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import USBModel

/// The descriptors a device tells, and the endpoint table made from them.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzDescriptors(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  // SAFETY: libFuzzer passes `count` readable bytes that live as long as this call.
  let bytes = [UInt8](UnsafeBufferPointer(start: start, count: count))
  guard let descriptors = try? DeviceDescriptors(parsing: bytes) else { return 0 }
  for configuration in [0] + descriptors.configurations.map(\.value) {
    check(EndpointTable(descriptors: descriptors, configuration: configuration))
    guard let chosen = descriptors.configuration(configuration) else { continue }
    var table = EndpointTable(descriptors: descriptors, configuration: configuration)
    precondition(Set(chosen.interfaces.map(\.number)) == Set(table.interfaceNumbers), "interfaces")
    for interface in chosen.interfaces {
      precondition(
        table.select(interface: interface.number, alternate: interface.alternate), "altsetting")
      precondition(table.alternate(of: interface.number) == interface.alternate, "altsetting")
      check(table)
    }
  }
  return 0
}

private func check(_ table: EndpointTable) {
  for endpoint in UInt8(0)...16 {
    for isIn in [false, true] {
      let type = table.type(endpoint: endpoint, isIn: isIn)
      let size = table.maximumPacketSize(endpoint: endpoint, isIn: isIn)
      let payload = table.intervalPayload(endpoint: endpoint, isIn: isIn)
      precondition((type == nil) == (size == nil) && (type == nil) == (payload == nil), "half")
      precondition((payload ?? 0) >= 0, "a payload below 0")
      if endpoint == 0 { precondition(type == .control, "no default pipe") }
      if endpoint == 16 { precondition(type == nil, "endpoint 16") }
      guard let owner = table.interface(owning: endpoint | (isIn ? 0x80 : 0)) else { continue }
      precondition(table.interfaceNumbers.contains(owner), "owned by nobody")
    }
  }
}
