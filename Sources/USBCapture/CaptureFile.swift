// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// The blocks of a pcapng file around its packets (draft-ietf-opsawg-pcapng), least significant byte
/// first on every machine.
public enum CaptureFile {
  /// LINKTYPE_USB_LINUX_MMAPPED: each packet begins with usbmon's header of 64 bytes.
  public static let linkType: UInt16 = 220
  /// Block types.
  enum BlockType {
    static let sectionHeader: UInt32 = 0x0A0D_0D0A
    static let interfaceDescription: UInt32 = 1
    static let interfaceStatistics: UInt32 = 5
    static let enhancedPacket: UInt32 = 6
  }

  /// Option codes.
  private enum Option {
    static let userApplication: UInt16 = 4
    static let interfaceName: UInt16 = 2
    static let interfaceDescription: UInt16 = 3
    static let timeResolution: UInt16 = 9
    static let received: UInt16 = 4
    static let dropped: UInt16 = 5
  }

  /// Bytes kept of one text of the file.
  static let maximumTextLength = 256
  private static let byteOrderMagic: UInt32 = 0x1A2B_3C4D
  /// Times are in units of 10^-9 s.
  private static let nanoseconds: UInt8 = 9

  /// Section header and description of the only interface; what a file begins with.
  ///
  /// `snapLength` is the most bytes of data of one packet.
  public static func opening(
    application: String, interface: String, description: String, snapLength: Int
  ) -> [UInt8] {
    var section: [UInt8] = []
    section.append(littleEndian: byteOrderMagic)
    section.append(littleEndian: 1 as UInt16)
    section.append(littleEndian: 0 as UInt16)
    // The length of the section: not known yet.
    section.append(littleEndian: -1 as Int64)
    append(Option.userApplication, text: application, to: &section)
    endOptions(&section)

    var device: [UInt8] = []
    device.append(littleEndian: linkType)
    device.append(littleEndian: 0 as UInt16)
    device.append(littleEndian: UInt32(clamping: CapturedPacket.overhead + snapLength))
    append(Option.interfaceName, text: interface, to: &device)
    append(Option.interfaceDescription, text: description, to: &device)
    append(Option.timeResolution, [nanoseconds], to: &device)
    endOptions(&device)
    return block(BlockType.sectionHeader, section) + block(BlockType.interfaceDescription, device)
  }

  /// The statistics that end a file; `time` in nanoseconds since 1970.
  public static func closing(time: UInt64, recorded: UInt64, dropped: UInt64) -> [UInt8] {
    var content: [UInt8] = []
    content.append(littleEndian: 0 as UInt32)
    content.append(littleEndian: UInt32(truncatingIfNeeded: time >> 32))
    content.append(littleEndian: UInt32(truncatingIfNeeded: time))
    var counts: [UInt8] = []
    counts.append(littleEndian: recorded &+ dropped)
    append(Option.received, counts, to: &content)
    counts = []
    counts.append(littleEndian: dropped)
    append(Option.dropped, counts, to: &content)
    endOptions(&content)
    return block(BlockType.interfaceStatistics, content)
  }

  private static func block(_ type: UInt32, _ content: [UInt8]) -> [UInt8] {
    let length = UInt32(content.count + 12)
    var bytes: [UInt8] = []
    bytes.append(littleEndian: type)
    bytes.append(littleEndian: length)
    bytes += content
    bytes.append(littleEndian: length)
    return bytes
  }

  private static func append(_ option: UInt16, text: String, to bytes: inout [UInt8]) {
    append(option, Array(text.utf8.prefix(maximumTextLength)), to: &bytes)
  }

  private static func append(_ option: UInt16, _ value: [UInt8], to bytes: inout [UInt8]) {
    bytes.append(littleEndian: option)
    bytes.append(littleEndian: UInt16(value.count))
    bytes += value
    while bytes.count % 4 != 0 { bytes.append(0) }
  }

  private static func endOptions(_ bytes: inout [UInt8]) {
    bytes.append(littleEndian: 0 as UInt32)
  }
}
