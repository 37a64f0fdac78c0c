// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import USBModel

/// One event as an enhanced packet block of a pcapng file, made in pieces so that data stays where it
/// is.
///
/// In order: the front, `descriptors` descriptors of isochronous packets, `dataLength` bytes of data,
/// the end. Encoding allocates nothing.
public struct CapturedPacket: Sendable {
  /// Bytes of the front: the head of the block and usbmon's header.
  public static let frontLength = blockHeadLength + headerLength
  /// Bytes of one descriptor of an isochronous packet (struct mon_bin_isodesc).
  public static let descriptorLength = 16
  /// Descriptors of one event (ISODESC_MAX, drivers/usb/mon/mon_bin.c).
  public static let maximumDescriptors = 128
  /// Bytes of the longest end.
  public static let maximumEndLength = 7
  /// The most bytes of a packet besides its data.
  public static let overhead = headerLength + maximumDescriptors * descriptorLength
  /// The most bytes of a block besides its data.
  public static let blockOverhead =
    frontLength + maximumDescriptors * descriptorLength + maximumEndLength

  private static let blockHeadLength = 28
  private static let headerLength = 64

  private let event: USBEvent
  /// Descriptors that go into the block.
  public let descriptors: Int
  /// Bytes of data that go into the block.
  public let dataLength: Int
  private let originalLength: Int

  /// Plans the block of `event`, beside which `available` bytes of data lie; `snapLength` of them
  /// are kept at most.
  public init(_ event: USBEvent, available: Int, snapLength: Int) {
    self.event = event
    descriptors = max(0, min(event.packets, CapturedPacket.maximumDescriptors))
    let whole = event.carriesData ? max(0, available) : 0
    dataLength = max(0, min(whole, snapLength))
    originalLength =
      CapturedPacket.headerLength + descriptors * CapturedPacket.descriptorLength + whole
  }

  /// Bytes of usbmon's header, descriptors and data.
  private var capturedLength: Int {
    CapturedPacket.headerLength + descriptors * CapturedPacket.descriptorLength + dataLength
  }

  private var padding: Int { (4 - capturedLength % 4) % 4 }

  /// Bytes of the whole block.
  public var blockLength: Int { CapturedPacket.blockHeadLength + capturedLength + padding + 4 }

  /// Writes `frontLength` bytes.
  public func encodeFront(into buffer: UnsafeMutableRawBufferPointer) {
    precondition(buffer.count >= CapturedPacket.frontLength, "no room for the front of a block")
    buffer.put(CaptureFile.BlockType.enhancedPacket, at: 0)
    buffer.put(UInt32(clamping: blockLength), at: 4)
    buffer.put(0 as UInt32, at: 8)
    buffer.put(UInt32(truncatingIfNeeded: event.time >> 32), at: 12)
    buffer.put(UInt32(truncatingIfNeeded: event.time), at: 16)
    buffer.put(UInt32(clamping: capturedLength), at: 20)
    buffer.put(UInt32(clamping: originalLength), at: 24)
    encodeHeader(
      into: UnsafeMutableRawBufferPointer(
        rebasing: buffer[CapturedPacket.blockHeadLength..<CapturedPacket.frontLength]))
  }

  private func encodeHeader(into header: UnsafeMutableRawBufferPointer) {
    header.put(event.id, at: 0)
    header[8] = event.kind.rawValue
    header[9] = CapturedPacket.pipe(event.transferType)
    header[10] = event.endpointAddress
    header[11] = event.device
    header.put(event.bus, at: 12)
    header[14] = event.setup == nil ? UInt8(ascii: "-") : 0
    header[15] = dataFlag
    header.put(Int64(event.time / 1_000_000_000), at: 16)
    header.put(Int32(event.time % 1_000_000_000 / 1000), at: 24)
    header.put(event.status, at: 28)
    header.put(UInt32(clamping: event.length), at: 32)
    header.put(UInt32(clamping: capturedLength - CapturedPacket.headerLength), at: 36)
    if let setup = event.setup {
      setup.encode(into: UnsafeMutableRawBufferPointer(rebasing: header[40..<48]))
    } else {
      header.put(Int32(clamping: event.failedPackets), at: 40)
      header.put(Int32(clamping: event.packets), at: 44)
    }
    // The interval is the importer's business, and the frame an importer starts in means nothing.
    header.put(0 as Int32, at: 48)
    header.put(0 as Int32, at: 52)
    header.put(event.flags, at: 56)
    header.put(UInt32(descriptors), at: 60)
  }

  /// Why there is no data, or 0.
  private var dataFlag: UInt8 {
    guard !event.carriesData else { return 0 }
    return event.isIn ? UInt8(ascii: "<") : UInt8(ascii: ">")
  }

  /// Writes the descriptor at `index` of an array of them: `offset` is into the data of this event.
  public static func encodeDescriptor(
    status: Int32, offset: UInt32, length: UInt32, at index: Int,
    into array: UnsafeMutableRawBufferPointer
  ) {
    let start = index * descriptorLength
    precondition(index >= 0 && array.count >= start + descriptorLength, "no room for a descriptor")
    array.put(status, at: start)
    array.put(offset, at: start + 4)
    array.put(length, at: start + 8)
    array.put(0 as UInt32, at: start + 12)
  }

  /// Writes padding and the length of the block; the result is how many bytes.
  public func encodeEnd(into buffer: UnsafeMutableRawBufferPointer) -> Int {
    precondition(buffer.count >= CapturedPacket.maximumEndLength, "no room for the end of a block")
    for index in 0..<padding { buffer[index] = 0 }
    buffer.put(UInt32(clamping: blockLength), at: padding)
    return padding + 4
  }

  /// PIPE_ISOCHRONOUS and its like (<linux/usb.h>), which count otherwise than bmAttributes.
  private static func pipe(_ type: TransferType) -> UInt8 {
    switch type {
    case .isochronous: 0
    case .interrupt: 1
    case .control: 2
    case .bulk: 3
    }
  }
}
