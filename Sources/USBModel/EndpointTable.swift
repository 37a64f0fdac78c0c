// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// Which endpoints a device has right now, in its configuration and altsettings.
///
/// A lookup is one array access and allocates nothing. The table follows the device: the owner
/// builds a new one after SET_CONFIGURATION and calls `select` after SET_INTERFACE.
public struct EndpointTable: Sendable {
  /// What is known of one endpoint in one direction.
  private struct Entry {
    var type: TransferType
    var interface: UInt8?
    var interfaceClass: UInt8?
    var packetSize: Int
    var intervalPayload: Int
  }

  /// OUT 0...15, then IN 0...15.
  private var entries: [32 of Entry?] = .init(repeating: nil)
  private let configuration: ConfigurationDescriptor?
  /// The selected altsetting by interface, in the order of the descriptors.
  private var alternates: [(interface: UInt8, alternate: UInt8)] = []

  /// Starts with the first altsetting of each interface: 0, or the one that comes first without it.
  ///
  /// A `configuration` the device does not have, such as 0, leaves endpoint 0 alone.
  public init(descriptors: DeviceDescriptors, configuration: UInt8) {
    self.configuration = descriptors.configuration(configuration)
    let pipe = Entry(
      type: .control, interface: nil, interfaceClass: nil,
      packetSize: descriptors.defaultPacketSize,
      intervalPayload: descriptors.defaultPacketSize)
    entries[0] = pipe
    entries[16] = pipe
    for interface in self.configuration?.interfaces ?? []
    where !alternates.contains(where: { $0.interface == interface.number }) {
      let first =
        self.configuration?.interface(interface.number, alternate: 0) ?? interface
      alternates.append((first.number, first.alternate))
      enter(first)
    }
  }

  /// Follows a SET_INTERFACE; false, and nothing changed, where there is no such altsetting.
  public mutating func select(interface: UInt8, alternate: UInt8) -> Bool {
    guard let wanted = configuration?.interface(interface, alternate: alternate),
      let place = alternates.firstIndex(where: { $0.interface == interface })
    else { return false }
    for index in entries.indices where entries[index]?.interface == interface {
      entries[index] = nil
    }
    alternates[place].alternate = alternate
    enter(wanted)
    return true
  }

  private mutating func enter(_ interface: InterfaceDescriptor) {
    for endpoint in interface.endpoints where endpoint.number != 0 {
      let entry = Entry(
        type: endpoint.transferType, interface: interface.number,
        interfaceClass: interface.classCode.baseClass,
        packetSize: endpoint.packetSize, intervalPayload: endpoint.intervalPayload)
      // A control endpoint works both ways (usb_enable_endpoint, drivers/usb/core/message.c). The
      // first interface to name an endpoint keeps it, as in config_endpoint_is_duplicate.
      for isIn in [false, true] where isIn == endpoint.isIn || endpoint.transferType == .control {
        let index = Int(endpoint.number) + (isIn ? 16 : 0)
        if entries[index] == nil { entries[index] = entry }
      }
    }
  }

  private func entry(_ endpoint: UInt8, _ isIn: Bool) -> Entry? {
    endpoint <= 15 ? entries[Int(endpoint) + (isIn ? 16 : 0)] : nil
  }

  /// What kind of transfers `endpoint` (0...15, no direction bit) does; `nil` where there is none.
  public func type(endpoint: UInt8, isIn: Bool) -> TransferType? {
    entry(endpoint, isIn)?.type
  }

  /// The bytes of one packet; `nil` where there is no such endpoint.
  public func maximumPacketSize(endpoint: UInt8, isIn: Bool) -> Int? {
    entry(endpoint, isIn)?.packetSize
  }

  /// The most bytes of one service interval, the bound of one isochronous packet.
  public func intervalPayload(endpoint: UInt8, isIn: Bool) -> Int? {
    entry(endpoint, isIn)?.intervalPayload
  }

  /// The interface that has the endpoint with this address (direction in bit 7).
  ///
  /// `nil` where there is none, and for endpoint 0.
  public func interface(owning endpointAddress: UInt8) -> UInt8? {
    entry(endpointAddress & 0x7F, endpointAddress & 0x80 != 0)?.interface
  }

  /// bInterfaceClass of that interface; `nil` likewise.
  public func interfaceClass(owning endpointAddress: UInt8) -> UInt8? {
    entry(endpointAddress & 0x7F, endpointAddress & 0x80 != 0)?.interfaceClass
  }

  /// The interfaces of the configuration, in the order of the descriptors.
  public var interfaceNumbers: [UInt8] { alternates.map(\.interface) }

  /// The selected altsetting of an interface; `nil` where there is no such interface.
  public func alternate(of interface: UInt8) -> UInt8? {
    alternates.first { $0.interface == interface }?.alternate
  }
}
