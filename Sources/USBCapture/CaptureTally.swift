// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// Counts what goes by in a capture, one block after another, for the sentence at its end.
public struct CaptureTally: Sendable, Hashable {
  /// Packets seen.
  public private(set) var packets = 0
  /// Packets the session dropped; `nil` until it has said so.
  public private(set) var dropped: UInt64?

  /// Starts with nothing.
  public init() {}

  /// Looks at one message of the session; what is none of its blocks counts as nothing.
  public mutating func take(_ block: UnsafeRawBufferPointer) {
    guard block.count >= 8 else { return }
    switch CaptureTally.number(block, 0, UInt32.self) {
    case CaptureFile.BlockType.enhancedPacket:
      packets += 1
    case CaptureFile.BlockType.interfaceStatistics where block.count >= closingLength:
      // Behind head and received count comes the option of the dropped ones.
      dropped = CaptureTally.number(block, 36, UInt64.self)
    default:
      break
    }
  }

  /// Bytes of what `CaptureFile.closing` makes.
  private var closingLength: Int { 52 }

  private static func number<Number: FixedWidthInteger>(
    _ block: UnsafeRawBufferPointer, _ offset: Int, _ type: Number.Type
  ) -> Number {
    var value: Number = 0
    for index in (0..<MemoryLayout<Number>.size).reversed() {
      value = value << 8 | Number(truncatingIfNeeded: block[offset + index])
    }
    return value
  }
}
