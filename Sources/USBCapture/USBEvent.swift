// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

public import USBModel

/// The submit or the completion of one URB, as usbmon tells it (struct mon_bin_hdr,
/// drivers/usb/mon/mon_bin.c).
public struct USBEvent: Sendable, Hashable {
  /// What happened.
  public enum Kind: UInt8, Sendable, Hashable {
    /// `S`: the URB went to the device.
    case submit = 0x53
    /// `C`: it came back.
    case complete = 0x43
  }

  /// The status of a URB that is under way (EINPROGRESS).
  public static let inProgress: Int32 = -115

  /// What happened.
  public var kind: Kind
  /// Joins the two events of a URB.
  public var id: UInt64
  /// How the endpoint transfers.
  public var transferType: TransferType
  /// The endpoint number, with the direction in bit 7 (set: IN).
  public var endpointAddress: UInt8
  /// The bus of the device.
  public var bus: UInt16
  /// Its address on the bus.
  public var device: UInt8
  /// Nanoseconds since 1970.
  public var time: UInt64
  /// 0 or a negative errno; `inProgress` for a submit.
  public var status: Int32
  /// Bytes the URB is to move, or has moved.
  public var length: Int
  /// The setup packet; for the submit of a control transfer only.
  public var setup: SetupPacket?
  /// URB_SHORT_NOT_OK and its like (<linux/usb.h>).
  public var flags: UInt32
  /// Packets of an isochronous URB, else 0.
  public var packets: Int
  /// Packets of an isochronous URB that failed.
  public var failedPackets: Int

  /// Takes all parts.
  public init(
    kind: Kind, id: UInt64, transferType: TransferType, endpointAddress: UInt8, bus: UInt16,
    device: UInt8, time: UInt64, status: Int32 = USBEvent.inProgress, length: Int,
    setup: SetupPacket? = nil, flags: UInt32 = 0, packets: Int = 0, failedPackets: Int = 0
  ) {
    self.kind = kind
    self.id = id
    self.transferType = transferType
    self.endpointAddress = endpointAddress
    self.bus = bus
    self.device = device
    self.time = time
    self.status = status
    self.length = length
    self.setup = setup
    self.flags = flags
    self.packets = packets
    self.failedPackets = failedPackets
  }

  /// True where data comes from the device.
  public var isIn: Bool { endpointAddress & 0x80 != 0 }

  /// True where this event has the data beside it: going out with the submit, coming in with the
  /// completion.
  public var carriesData: Bool { (kind == .submit) != isIn }
}
