// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

public import USBModel

/// The transfer flags an exporter honours; all others are masked when a header is read.
///
/// Source: include/uapi/linux/usbip.h. The DMA flags and FREE_BUFFER among the masked ones tell a
/// kernel to free and map memory; they must never come from a peer.
public struct TransferFlags: OptionSet, Sendable, Hashable {
  /// The bits as on the wire.
  public let rawValue: UInt32

  /// Takes the bits as they are; `init(wire:)` masks.
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// USBIP_URB_SHORT_NOT_OK: a short IN transfer is an error.
  public static let shortNotOK = TransferFlags(rawValue: 0x0001)
  /// USBIP_URB_ISO_ASAP: start in the next free frame.
  public static let isochronousASAP = TransferFlags(rawValue: 0x0002)
  /// USBIP_URB_ZERO_PACKET: end an OUT transfer of full packets with an empty one.
  public static let zeroPacket = TransferFlags(rawValue: 0x0040)
  /// USBIP_URB_NO_INTERRUPT: a hint that the completion may come late.
  public static let noInterrupt = TransferFlags(rawValue: 0x0080)

  /// Masks everything that is not honoured.
  public init(wire: UInt32) {
    self = TransferFlags(rawValue: wire)
      .intersection([.shortNotOK, .isochronousASAP, .zeroPacket, .noInterrupt])
  }

  /// The flags that mean something for this kind of transfer; usbfs refuses the others.
  public func masked(for type: TransferType, isIn: Bool) -> TransferFlags {
    var allowed: TransferFlags = [.noInterrupt]
    if isIn, type != .isochronous { allowed.insert(.shortNotOK) }
    if !isIn, type == .bulk || type == .interrupt { allowed.insert(.zeroPacket) }
    if type == .isochronous { allowed.insert(.isochronousASAP) }
    return intersection(allowed)
  }
}
