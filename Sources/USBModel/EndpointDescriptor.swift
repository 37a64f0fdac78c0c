// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// One endpoint of an interface (USB 2.0, 9.6.6), with what a SuperSpeed companion adds.
public struct EndpointDescriptor: Sendable, Hashable {
  /// bEndpointAddress: number in bits 3..0, bit 7 set for IN.
  public var address: UInt8
  /// bmAttributes.
  public var attributes: UInt8
  /// wMaxPacketSize as it is in the descriptor, with the high-bandwidth bits 12..11.
  public var maximumPacketSize: UInt16
  /// bInterval.
  public var interval: UInt8
  /// bMaxBurst of the SuperSpeed companion (USB 3.2, 9.6.7); `nil` below SuperSpeed.
  public var maximumBurst: UInt8?
  /// bmAttributes of the SuperSpeed companion; 0 below SuperSpeed.
  public var companionAttributes: UInt8 = 0
  /// dwBytesPerInterval of the SuperSpeedPlus isochronous companion (USB 3.2, 9.6.8).
  public var bytesPerInterval: UInt32?

  /// Takes the fields of the endpoint descriptor itself.
  public init(address: UInt8, attributes: UInt8, maximumPacketSize: UInt16, interval: UInt8 = 0) {
    self.address = address
    self.attributes = attributes
    self.maximumPacketSize = maximumPacketSize
    self.interval = interval
  }

  /// The endpoint's number, 0...15.
  public var number: UInt8 { address & 0x0F }

  /// True for an IN endpoint.
  public var isIn: Bool { address & 0x80 != 0 }

  /// What kind of transfers it does.
  public var transferType: TransferType {
    switch attributes & 0x03 {
    case 0: .control
    case 1: .isochronous
    case 2: .bulk
    default: .interrupt
    }
  }

  /// The bytes of one packet, without the high-bandwidth bits.
  public var packetSize: Int { Int(maximumPacketSize & 0x07FF) }

  /// The most bytes one service interval may carry: packet, times burst, times multiplier.
  ///
  /// The bound usb_submit_urb puts on the length of one isochronous packet.
  public var intervalPayload: Int {
    if let bytesPerInterval { return Int(bytesPerInterval) }
    guard let maximumBurst else { return packetSize * (1 + Int(maximumPacketSize >> 11 & 0x03)) }
    let multiplier = transferType == .isochronous ? 1 + Int(companionAttributes & 0x03) : 1
    return packetSize * (1 + Int(maximumBurst)) * multiplier
  }
}
