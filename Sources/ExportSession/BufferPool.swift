// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// Memory for URBs, kept by size class.
///
/// A buffer is 48 bytes for a reply header directly in front of the payload, so that a reply is one
/// piece; the payload is aligned to a cache line. Payloads of a page and more come from the memory the
/// device shares, as long as there is some.
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

  /// The smallest payload that is worth shared memory, in bytes.
  static let smallestShared = 4096

  private static let alignment = 64
  private static let classCount = 24
  private let resting: UnsafeMutablePointer<UnsafeMutableRawPointer?>
  /// As `resting`, for buffers in `shared`; they end with it.
  private let restingShared: UnsafeMutablePointer<UnsafeMutableRawPointer?>
  private var restingLargeBytes = 0
  /// Bytes of payloads that wait to be taken again.
  private(set) var restingBytes = 0
  private var shared = UnsafeMutableRawBufferPointer(start: nil, count: 0)
  private var sharedUsed = 0

  /// Starts without memory; each class grows on first use.
  init() {
    resting = .allocate(capacity: BufferPool.classCount)
    resting.initialize(repeating: nil, count: BufferPool.classCount)
    restingShared = .allocate(capacity: BufferPool.classCount)
    restingShared.initialize(repeating: nil, count: BufferPool.classCount)
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
    restingShared.deallocate()
  }

  /// Uses the memory that a device shares; it stays until all buffers have come back, or no more is
  /// taken.
  mutating func adopt(_ memory: UnsafeMutableRawBufferPointer) {
    precondition(shared.isEmpty, "a device shares memory once")
    shared = memory
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
    if let buffer = takeShared(sizeClass) { return buffer }
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
    if isShared(buffer) {
      // SAFETY: as below.
      buffer.storeBytes(of: restingShared[sizeClass], as: UnsafeMutableRawPointer?.self)
      restingShared[sizeClass] = buffer
      return
    }
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

  /// Gives a buffer back to the system that never comes back to the pool.
  func abandon(_ buffer: UnsafeMutableRawPointer) {
    if !isShared(buffer) { BufferPool.deallocate(buffer) }
  }

  private mutating func takeShared(_ sizeClass: Int) -> UnsafeMutableRawPointer? {
    guard !shared.isEmpty else { return nil }
    if let buffer = restingShared[sizeClass] {
      // SAFETY: `give` stored the link there, and the memory is still shared.
      restingShared[sizeClass] = buffer.load(as: UnsafeMutableRawPointer?.self)
      return buffer
    }
    let payload = BufferPool.payload(of: sizeClass)
    let size = BufferPool.alignment + payload
    guard payload >= BufferPool.smallestShared, size <= shared.count - sharedUsed,
      let start = shared.baseAddress
    else { return nil }
    // SAFETY: within the shared memory by the line above, and a page's start is aligned.
    let buffer = start + sharedUsed + (BufferPool.alignment - BufferPool.headerLength)
    sharedUsed += size
    return buffer
  }

  private func isShared(_ buffer: UnsafeMutableRawPointer) -> Bool {
    guard let start = shared.baseAddress else { return false }
    return buffer >= start && buffer < start + shared.count
  }

  private static func deallocate(_ buffer: UnsafeMutableRawPointer) {
    // SAFETY: undoes the offset of `take`.
    (buffer - (alignment - headerLength)).deallocate()
  }
}
