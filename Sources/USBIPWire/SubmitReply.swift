// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// RET_SUBMIT: how a transfer ended (struct usbip_header_ret_submit, drivers/usb/usbip/usbip_common.h).
///
/// On the wire `actualLength` bytes follow an IN transfer whatever its status, then the descriptors
/// of an isochronous one.
public struct SubmitReply: Sendable, Hashable {
  /// The seqnum of the submit.
  public var seqnum: UInt32
  /// 0 or a negative errno, as in `URBStatus`.
  public var status: Int32
  /// Bytes moved.
  public var actualLength: Int32
  /// The frame an isochronous transfer began in; 0 where it is not known.
  public var startFrame: Int32
  /// Descriptors that follow for an isochronous transfer, else `Submit.echoedPackets`.
  public var packets: Int32
  /// Packets of an isochronous transfer whose status is not 0.
  public var errorCount: Int32

  /// Takes all parts.
  public init(
    seqnum: UInt32, status: Int32, actualLength: Int32 = 0, startFrame: Int32 = 0,
    packets: Int32 = 0, errorCount: Int32 = 0
  ) {
    self.seqnum = seqnum
    self.status = status
    self.actualLength = actualLength
    self.startFrame = startFrame
    self.packets = packets
    self.errorCount = errorCount
  }

  /// Answers a submit that moved nothing and has no isochronous descriptors to send back.
  public init(answering submit: Submit, status: Int32) {
    self.init(seqnum: submit.seqnum, status: status, packets: submit.echoedPackets)
  }

  /// Writes the 48 bytes of the header to the front of `buffer`.
  ///
  /// Does not allocate.
  public func encode(into buffer: UnsafeMutableRawBufferPointer) {
    precondition(buffer.count >= URBHeader.length, "no room for a URB header")
    buffer.store(URBHeader.submitReply, at: 0)
    buffer.store(seqnum, at: 4)
    buffer.clear(from: 8, to: 20)
    buffer.store(status, at: 20)
    buffer.store(actualLength, at: 24)
    buffer.store(startFrame, at: 28)
    buffer.store(packets, at: 32)
    buffer.store(errorCount, at: 36)
    buffer.clear(from: 40, to: URBHeader.length)
  }
}
