// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

public import USBModel

/// CMD_SUBMIT: carry out this transfer (struct usbip_header_cmd_submit, drivers/usb/usbip/usbip_common.h).
public struct Submit: Sendable, Hashable {
  /// Names the request in its reply; unique among the unanswered ones, in no order.
  public var seqnum: UInt32
  /// The device, as in `Device.devid`.
  public var devid: UInt32
  /// True when the device is to send.
  ///
  /// For control transfers the setup packet has a say too.
  public var isIn: Bool
  /// 0...15, without direction bit.
  public var endpoint: UInt8
  /// The honoured flags.
  public var flags: TransferFlags
  /// Bytes of the transfer buffer, 0...`WireLimits.maximumTransferLength`.
  public var length: Int
  /// start_frame; means nothing to an exporter.
  public var startFrame: Int32
  /// number_of_packets as it came: a count for isochronous endpoints, else 0, -1 or garbage.
  public var packets: Int32
  /// interval as it came; means nothing to an exporter.
  public var interval: Int32
  /// The setup packet of a control transfer, else zeros.
  public var setup: SetupPacket

  /// Takes all parts; the ones that mean nothing for most transfers default to 0.
  public init(
    seqnum: UInt32, devid: UInt32, isIn: Bool, endpoint: UInt8, flags: TransferFlags = [],
    length: Int, startFrame: Int32 = 0, packets: Int32 = 0, interval: Int32 = 0,
    setup: SetupPacket = SetupPacket(requestType: 0, request: 0)
  ) {
    self.seqnum = seqnum
    self.devid = devid
    self.isIn = isIn
    self.endpoint = endpoint
    self.flags = flags
    self.length = length
    self.startFrame = startFrame
    self.packets = packets
    self.interval = interval
    self.setup = setup
  }

  /// The bytes of transfer data that follow the header; isochronous descriptors come after them.
  public var payloadLength: Int { isIn ? 0 : length }

  /// number_of_packets for the reply to a transfer that is not isochronous.
  ///
  /// Clients that send 0 want 0 back and clients that send -1 take either; nobody wants garbage.
  public var echoedPackets: Int32 { packets == -1 ? -1 : 0 }

  /// Writes the 48 bytes an importer sends.
  ///
  /// Does not allocate.
  public func encode(into buffer: UnsafeMutableRawBufferPointer) {
    precondition(buffer.count >= URBHeader.length, "no room for a URB header")
    buffer.store(URBHeader.submit, at: 0)
    buffer.store(seqnum, at: 4)
    buffer.store(devid, at: 8)
    buffer.store(isIn ? URBHeader.directionIn : URBHeader.directionOut, at: 12)
    buffer.store(UInt32(endpoint), at: 16)
    buffer.store(flags.rawValue, at: 20)
    buffer.store(Int32(clamping: length), at: 24)
    buffer.store(startFrame, at: 28)
    buffer.store(packets, at: 32)
    buffer.store(interval, at: 36)
    setup.encode(into: UnsafeMutableRawBufferPointer(rebasing: buffer[40..<48]))
  }
}
