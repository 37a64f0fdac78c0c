// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

extension UnsafeRawBufferPointer {
  /// The big-endian word at `offset`, which the caller has checked to lie within the bytes.
  @inline(__always)
  func word(at offset: Int) -> UInt16 {
    // SAFETY: any bit pattern is a UInt16; every caller checks the count before.
    UInt16(bigEndian: loadUnaligned(fromByteOffset: offset, as: UInt16.self))
  }

  /// The big-endian double word at `offset`, which the caller has checked to lie within the bytes.
  @inline(__always)
  func doubleWord(at offset: Int) -> UInt32 {
    // SAFETY: any bit pattern is a UInt32; every caller checks the count before.
    UInt32(bigEndian: loadUnaligned(fromByteOffset: offset, as: UInt32.self))
  }

  /// The same, signed.
  @inline(__always)
  func signedDoubleWord(at offset: Int) -> Int32 { Int32(bitPattern: doubleWord(at: offset)) }
}

extension UnsafeMutableRawBufferPointer {
  /// Writes a big-endian double word at `offset`, which the caller has checked to lie within.
  @inline(__always)
  func store(_ value: UInt32, at offset: Int) {
    // SAFETY: UInt32 is trivial; every caller checks the count before.
    storeBytes(of: value.bigEndian, toByteOffset: offset, as: UInt32.self)
  }

  /// The same, signed.
  @inline(__always)
  func store(_ value: Int32, at offset: Int) { store(UInt32(bitPattern: value), at: offset) }

  /// Writes zeros from `offset` to `end`.
  @inline(__always)
  func clear(from offset: Int, to end: Int) {
    for index in offset..<end { self[index] = 0 }
  }
}

extension [UInt8] {
  /// Appends a big-endian word.
  mutating func append(word value: UInt16) {
    append(UInt8(truncatingIfNeeded: value >> 8))
    append(UInt8(truncatingIfNeeded: value))
  }

  /// Appends a big-endian double word.
  mutating func append(doubleWord value: UInt32) {
    append(word: UInt16(truncatingIfNeeded: value >> 16))
    append(word: UInt16(truncatingIfNeeded: value))
  }

  /// Appends the UTF-8 of `text` and NULs up to `size` bytes; cuts the text so that one NUL fits.
  mutating func append(text: String, size: Int) {
    let bytes = text.utf8.prefix(size - 1)
    append(contentsOf: bytes)
    append(contentsOf: repeatElement(0, count: size - bytes.count))
  }
}
