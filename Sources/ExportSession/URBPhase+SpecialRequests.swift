// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import LinuxHost
internal import USBIPWire
internal import USBModel

/// Requests that change what the host knows of the device: barriers between what is before and after.
///
/// While one is carried out no command is taken and nothing is asked of the device; the session
/// still sees its peer go, its agent and its termination.
extension URBPhase where Device: ~Copyable {
  /// Carries out `request`, or has it carried out; the URB of `slot` is answered when it is done.
  mutating func perform(_ request: SpecialRequest, for slot: Int) {
    guard isPossible(request) else {
      complete(slot, status: URBStatus.stall, actualLength: 0)
      return
    }
    switch request {
    case .setAddress, .linkPower:
      complete(slot, status: URBStatus.success, actualLength: 0)
    case .testMode, .malformed:
      complete(slot, status: URBStatus.stall, actualLength: 0)
    case .clearHalt(let address):
      // A host controller refuses to reset the toggle of an endpoint that has transfers.
      discardAll(endpointAddress: address)
      reapAll()
      begin(request, for: slot)
    case .setConfiguration, .setInterface, .portReset:
      begin(request, for: slot)
    }
  }

  /// Takes the result of the request that was under way, and goes on.
  ///
  /// Transfers that the request ended are answered first: to the client they ended before it.
  mutating func finishBarrier() {
    guard case .barrier(let slot, let request) = hold, let result = side?.takeResult() else {
      return
    }
    hold = .none
    if result == 0 { follow(request) }
    watchDevice()
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
    if end == nil { takeCommands() }
  }

  /// False where the descriptors know nothing of what is asked for.
  ///
  /// usbfs ends the transfers of an interface before it looks whether there is such an altsetting
  /// (proc_setintf, drivers/usb/core/devio.c); a configuration wants the interfaces released first.
  private func isPossible(_ request: SpecialRequest) -> Bool {
    switch request {
    case .setConfiguration(let value):
      return value == 0 || descriptors.configuration(value) != nil
    case .setInterface(let interface, let alternate):
      var table = endpoints
      return table.select(interface: interface, alternate: alternate)
    default:
      return true
    }
  }

  private mutating func begin(_ request: SpecialRequest, for slot: Int) {
    guard end == nil else {
      complete(slot, status: URBStatus.shutdown, actualLength: 0)
      return
    }
    guard leaveDeviceAlone() else { return }
    hold = .barrier(slot: slot, request: request)
    let control = device.control
    side?.start { request.carryOut(on: control) }
  }

  /// What is known of the device after the request.
  private mutating func follow(_ request: SpecialRequest) {
    switch request {
    case .setConfiguration(let value):
      endpoints = EndpointTable(descriptors: descriptors, configuration: value)
    case .setInterface(let interface, let alternate):
      _ = endpoints.select(interface: interface, alternate: alternate)
    default:
      break
    }
  }

  private mutating func discardAll(endpointAddress: UInt8) {
    for slot in 0..<slots.capacity
    where slots[slot].isInFlight && slots[slot].endpointAddress == endpointAddress {
      device.discard(slot: slot)
    }
  }
}

extension SpecialRequest {
  /// Makes the call that the request stands for; 0 or a negative errno.
  fileprivate func carryOut(on device: any DeviceControl) -> Int32 {
    switch self {
    case .setConfiguration(let value): device.setConfiguration(value)
    case .setInterface(let number, let alternate):
      device.setInterface(number, alternate: alternate)
    case .clearHalt(let address): device.clearHalt(endpointAddress: address)
    case .portReset: device.reset()
    case .setAddress, .linkPower: URBStatus.success
    case .testMode, .malformed: URBStatus.stall
    }
  }
}
