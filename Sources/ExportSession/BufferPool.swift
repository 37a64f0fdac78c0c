// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// Memory for URBs, kept by size class.
///
/// A buffer is 48 bytes for a reply header directly in front of the payload, so that a reply is one
/// piece; the payload is aligned to a cache line.
struct BufferPool: ~Copyable {
  /// Bytes in front of the payload: the header of a reply (`struct usbip_header`).
  static let headerLength = 48
  /// The smallest payload, in bytes.
  static let smallestPayload = 512
  /// Payloads above this are given back to the system once `largeCacheLimit` bytes of them rest.
  static let largePayload = 256 * 1024
  /// Bytes of large payloads that rest at most.
  static let largeCacheLimit = 16 * 1024 * 1024
  /// Bytes that rest at most; without it a peer that goes through all sizes makes each class keep as
  /// much as may be outstanding.
  static let cacheLimit = 64 * 1024 * 1024

  private static let alignment = 64
  private static let classCount = 24
  private let resting: UnsafeMutablePointer<UnsafeMutableRawPointer?>
  private var restingLargeBytes = 0
  /// Bytes of payloads that wait to be taken again.
  private(set) var restingBytes = 0

  /// Starts without memory; each class grows on first use.
  init() {
    resting = .allocate(capacity: BufferPool.classCount)
    resting.initialize(repeating: nil, count: BufferPool.classCount)
  }

  deinit {
    for sizeClass in 0..<BufferPool.classCount {
      var next = resting[sizeClass]
      while let buffer = next {
        // SAFETY: `give` stored the link there when the buffer came to rest.
        next = buffer.load(as: UnsafeMutableRawPointer?.self)
        BufferPool.deallocate(buffer)
      }
    }
    resting.deallocate()
  }

  /// The class whose payload holds `length` bytes; `length` is bounded by the wire's limits.
  static func sizeClass(for length: Int) -> Int {
    let units = (max(length, 1) - 1) / smallestPayload
    return Int.bitWidth - units.leadingZeroBitCount
  }

  /// The payload of a class, in bytes.
  static func payload(of sizeClass: Int) -> Int { smallestPayload << sizeClass }

  /// The header of a buffer with the payload of `sizeClass` behind it; the caller gives it back.
  mutating func take(_ sizeClass: Int) -> UnsafeMutableRawPointer {
    if let buffer = resting[sizeClass] {
      // SAFETY: as in deinit.
      resting[sizeClass] = buffer.load(as: UnsafeMutableRawPointer?.self)
      let payload = BufferPool.payload(of: sizeClass)
      restingBytes -= payload
      if payload > BufferPool.largePayload { restingLargeBytes -= payload }
      return buffer
    }
    let block = UnsafeMutableRawPointer.allocate(
      byteCount: BufferPool.alignment + BufferPool.payload(of: sizeClass),
      alignment: BufferPool.alignment)
    return block + (BufferPool.alignment - BufferPool.headerLength)
  }

  /// Takes back a buffer of `sizeClass`.
  mutating func give(_ buffer: UnsafeMutableRawPointer, _ sizeClass: Int) {
    let payload = BufferPool.payload(of: sizeClass)
    let large = payload > BufferPool.largePayload ? payload : 0
    guard restingBytes + payload <= BufferPool.cacheLimit,
      large == 0 || restingLargeBytes + large <= BufferPool.largeCacheLimit
    else {
      BufferPool.deallocate(buffer)
      return
    }
    restingBytes += payload
    restingLargeBytes += large
    // SAFETY: the buffer is ours again and 16-byte aligned; a pointer fits into its header.
    buffer.storeBytes(of: resting[sizeClass], as: UnsafeMutableRawPointer?.self)
    resting[sizeClass] = buffer
  }

  /// Gives a buffer back to the system.
  static func deallocate(_ buffer: UnsafeMutableRawPointer) {
    // SAFETY: undoes the offset of `take`.
    (buffer - (alignment - headerLength)).deallocate()
  }
}
