// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// One packet of an isochronous transfer (struct usbip_iso_packet_descriptor,
/// drivers/usb/usbip/usbip_common.h).
public struct IsochronousPacket: Sendable, Hashable {
  /// The size on the wire in bytes.
  public static let size = 16

  /// Where its data begins in the transfer buffer, in bytes.
  ///
  /// A reply repeats the submitted one.
  public var offset: UInt32
  /// The room it has, in bytes.
  ///
  /// A reply repeats the submitted one.
  public var length: UInt32
  /// Bytes moved; means nothing in a submit.
  public var actualLength: UInt32
  /// 0 or a negative errno; means nothing in a submit.
  public var status: Int32

  /// Takes the four parts.
  public init(offset: UInt32, length: UInt32, actualLength: UInt32 = 0, status: Int32 = 0) {
    self.offset = offset
    self.length = length
    self.actualLength = actualLength
    self.status = status
  }

  /// Reads the descriptor at `index` of an array of descriptors.
  ///
  /// Does not allocate.
  public static func decode(_ array: UnsafeRawBufferPointer, index: Int) -> IsochronousPacket {
    precondition(index >= 0 && array.count / size > index, "no such packet")
    let start = index * size
    return IsochronousPacket(
      offset: array.doubleWord(at: start), length: array.doubleWord(at: start + 4),
      actualLength: array.doubleWord(at: start + 8), status: array.signedDoubleWord(at: start + 12))
  }

  /// Writes the descriptor at `index` of an array of descriptors.
  ///
  /// Does not allocate.
  public func encode(into array: UnsafeMutableRawBufferPointer, index: Int) {
    precondition(index >= 0 && array.count / IsochronousPacket.size > index, "no such packet")
    let start = index * IsochronousPacket.size
    array.store(offset, at: start)
    array.store(length, at: start + 4)
    array.store(actualLength, at: start + 8)
    array.store(status, at: start + 12)
  }

  /// True where every packet of a submit lies within the buffer and none within another.
  ///
  /// Each packet must begin where the one before ended, or later, as all known clients have it:
  /// order is what makes the check one pass. A packet of no bytes overlaps nothing. `length` is
  /// the submit's, `payload` the `intervalPayload` of the endpoint; both in bytes. A submit that
  /// fails is answered `URBStatus.invalid`. Does not allocate.
  public static func isSound(
    _ array: UnsafeRawBufferPointer, packets: Int, length: Int, payload: Int
  ) -> Bool {
    var end = 0
    for index in 0..<packets {
      let packet = decode(array, index: index)
      let offset = Int(packet.offset)
      let next = offset + Int(packet.length)
      guard Int(packet.length) <= payload, next <= length else { return false }
      guard packet.length > 0 else { continue }
      guard offset >= end else { return false }
      end = next
    }
    return true
  }
}
