// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

extension UnsafeMutableRawBufferPointer {
  /// Writes an integer, least significant byte first, at `offset`, where the caller has room for it.
  @inline(__always)
  func put(_ value: some FixedWidthInteger, at offset: Int) {
    var rest = value.littleEndian
    withUnsafeBytes(of: &rest) { bytes in
      for index in 0..<bytes.count { self[offset + index] = bytes[index] }
    }
  }
}

extension [UInt8] {
  /// Appends an integer, least significant byte first.
  mutating func append(littleEndian value: some FixedWidthInteger) {
    var rest = value.littleEndian
    Swift.withUnsafeBytes(of: &rest) { append(contentsOf: $0) }
  }
}
