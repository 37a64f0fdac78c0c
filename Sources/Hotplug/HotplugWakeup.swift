// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

private import CUdev
internal import Glibc

/// An eventfd: any thread raises it, one thread polls it.
final class HotplugWakeup: Sendable {
  /// Readable after `raise`; belongs to this value.
  let descriptor: Int32

  /// Throws `.wakeup`.
  init() throws(HotplugError) {
    descriptor = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
    guard descriptor >= 0 else { throw .wakeup(errno: errno) }
  }

  deinit { close(descriptor) }

  /// Makes the descriptor readable for good.
  func raise() {
    // The only possible failure is a full counter, and then it is readable.
    _ = eventfd_write(descriptor, 1)
  }
}
