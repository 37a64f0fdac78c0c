// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import USBIPWire
internal import USBModel

/// Requests that change what the host knows of the device: barriers between what is before and after.
extension URBPhase where Device: ~Copyable {
  /// Carries out `request`, then answers the URB of `slot`.
  ///
  /// Transfers that the request ended are answered first: to the client they ended before it.
  mutating func perform(_ request: SpecialRequest, for slot: Int) {
    let result = carryOut(request)
    reapAll()
    switch result {
    case 0:
      complete(slot, status: URBStatus.success, actualLength: 0)
    case URBStatus.noDevice, URBStatus.shutdown:
      complete(slot, status: URBStatus.shutdown, actualLength: 0)
      end = end ?? .deviceGone(result)
    default:
      // Never handed to the device raw instead: host and device would disagree from then on.
      complete(slot, status: URBStatus.stall, actualLength: 0)
    }
  }

  /// The one place that may take long: a later side thread takes over from here.
  private mutating func carryOut(_ request: SpecialRequest) -> Int32 {
    switch request {
    case .setConfiguration(let value):
      let result = device.setConfiguration(value)
      if result == 0 {
        endpoints = EndpointTable(descriptors: descriptors, configuration: value)
      }
      return result
    case .setInterface(let interface, let alternate):
      let result = device.setInterface(interface, alternate: alternate)
      if result == 0 { _ = endpoints.select(interface: interface, alternate: alternate) }
      return result
    case .clearHalt(let address):
      // A host controller refuses to reset the toggle of an endpoint that has transfers.
      discardAll(endpointAddress: address)
      return device.clearHalt(endpointAddress: address)
    case .portReset:
      return device.reset()
    case .setAddress, .linkPower:
      return 0
    case .testMode, .malformed:
      return URBStatus.stall
    }
  }

  private mutating func discardAll(endpointAddress: UInt8) {
    for slot in 0..<slots.capacity
    where slots[slot].isInFlight && slots[slot].endpointAddress == endpointAddress {
      device.discard(slot: slot)
    }
  }
}
