// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

private import CLinux
private import Glibc

/// A counter that wakes whoever polls its descriptor (eventfd(2)).
public struct EventCounter: ~Copyable, Sendable {
  private let descriptor: OwnedDescriptor

  /// Makes a counter of 0; throws `HostError` with `EMFILE` or `ENOMEM`.
  public init() throws(HostError) {
    let number = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
    guard number >= 0 else { throw HostError("create event counter", "", .current) }
    descriptor = OwnedDescriptor(adopting: number)
  }

  /// The number to poll: readable while the counter is above 0.
  public var rawValue: Int32 { descriptor.rawValue }

  /// Adds one; may be called from any thread.
  public borrowing func signal() {
    var one: UInt64 = 1
    // A full counter is still readable, which is all that counts.
    _ = unsafe write(descriptor.rawValue, &one, MemoryLayout<UInt64>.size)
  }

  /// Sets the counter back to 0; the result is what it was.
  @discardableResult
  public borrowing func drain() -> UInt64 {
    var count: UInt64 = 0
    let size = unsafe read(descriptor.rawValue, &count, MemoryLayout<UInt64>.size)
    return size == MemoryLayout<UInt64>.size ? count : 0
  }
}
