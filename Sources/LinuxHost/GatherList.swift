// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import Glibc

/// Pieces of memory to send with one call, in order; made once, filled again and again.
@safe
public struct GatherList: ~Copyable {
  /// The most pieces one call takes (IOV_MAX, <limits.h>).
  public static let capacity = 1024

  internal private(set) var count = 0
  internal let pieces: UnsafeMutablePointer<iovec>

  /// Starts empty.
  public init() {
    unsafe pieces = .allocate(capacity: GatherList.capacity)
    unsafe pieces.initialize(repeating: iovec(), count: GatherList.capacity)
  }

  deinit {
    // SAFETY: allocated in init, never handed out; iovec is trivial.
    unsafe pieces.deallocate()
  }

  /// True where no further piece fits.
  public var isFull: Bool { count == GatherList.capacity }

  /// True where there is nothing to send.
  public var isEmpty: Bool { count == 0 }

  /// Forgets all pieces.
  public mutating func removeAll() { count = 0 }

  /// Adds `length` bytes at `memory`, which the caller keeps alive until they are sent.
  public mutating func append(_ memory: UnsafeMutableRawPointer, length: Int) {
    precondition(count < GatherList.capacity, "the caller asks isFull first")
    // SAFETY: `count` is within what was allocated; the precondition above is about our own code.
    unsafe pieces[count] = iovec(iov_base: memory, iov_len: length)
    count += 1
  }
}
