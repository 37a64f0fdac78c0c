// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// A standard request that the host of the device must carry out itself instead of forwarding it.
///
/// The host controller and usbcore keep state of their own (address, toggles, bandwidth, port), so
/// these requests have to go through the kernel's own calls.
public enum SpecialRequest: Sendable, Hashable {
  /// SET_ADDRESS: never forwarded; the address belongs to the host of the device.
  case setAddress
  /// SET_CONFIGURATION with a bConfigurationValue; 0 means unconfigured.
  case setConfiguration(value: UInt8)
  /// SET_INTERFACE.
  case setInterface(interface: UInt8, alternate: UInt8)
  /// CLEAR_FEATURE(ENDPOINT_HALT) of an endpoint other than the default one; with direction bit.
  case clearHalt(endpointAddress: UInt8)
  /// SET_FEATURE(PORT_RESET) to the port, by which some importers pass a device reset on.
  case portReset
  /// SET_FEATURE(TEST_MODE): to be refused, only a power cycle ends it.
  case testMode
  /// SET_FEATURE or CLEAR_FEATURE of U1, U2 or LTM: link power belongs to the device's own host.
  case linkPower
  /// One of the above with values out of range: to be refused.
  case malformed
}

extension SetupPacket {
  /// bmRequestType: standard request to the device, to an interface, to an endpoint (9.3, table 9-2),
  /// and class request to a hub's port (11.24.2).
  private enum RequestType {
    static let device: UInt8 = 0x00
    static let interface: UInt8 = 0x01
    static let endpoint: UInt8 = 0x02
    static let port: UInt8 = 0x23
  }

  /// bRequest (USB 2.0, table 9-4).
  private enum Request {
    static let clearFeature: UInt8 = 1
    static let setFeature: UInt8 = 3
    static let setAddress: UInt8 = 5
    static let setConfiguration: UInt8 = 9
    static let setInterface: UInt8 = 11
  }

  /// Feature selectors (USB 2.0, tables 9-6 and 11-17; USB 3.2, table 9-7).
  private enum Feature {
    static let endpointHalt: UInt16 = 0
    static let testMode: UInt16 = 2
    static let portReset: UInt16 = 4
    static let linkPower: ClosedRange<UInt16> = 48...50
  }

  /// The special request this packet is; `nil` for one that is forwarded as it came.
  ///
  /// A CLEAR_FEATURE(ENDPOINT_HALT) of endpoint 0 is forwarded: the default pipe has no halt to
  /// clear on the host's side. Does not allocate.
  public var specialRequest: SpecialRequest? {
    switch (requestType, request) {
    case (RequestType.device, Request.setAddress):
      return .setAddress
    case (RequestType.device, Request.setConfiguration):
      guard let value = UInt8(exactly: value) else { return .malformed }
      return .setConfiguration(value: value)
    case (RequestType.interface, Request.setInterface):
      guard let interface = UInt8(exactly: index), let alternate = UInt8(exactly: value) else {
        return .malformed
      }
      return .setInterface(interface: interface, alternate: alternate)
    case (RequestType.endpoint, Request.clearFeature) where value == Feature.endpointHalt:
      guard index & ~0x8F == 0 else { return .malformed }
      return index & 0x0F == 0
        ? nil : .clearHalt(endpointAddress: UInt8(truncatingIfNeeded: index))
    case (RequestType.port, Request.setFeature) where value == Feature.portReset:
      return .portReset
    case (RequestType.device, Request.setFeature) where value == Feature.testMode:
      return .testMode
    case (RequestType.device, Request.setFeature), (RequestType.device, Request.clearFeature):
      return Feature.linkPower.contains(value) ? .linkPower : nil
    default:
      return nil
    }
  }
}
