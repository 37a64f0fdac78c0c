// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

private import CAvahi
internal import Glibc

/// An eventfd: any thread raises it, one thread polls it.
final class DirectoryWakeup: Sendable {
  /// Readable after `raise`; belongs to this value.
  let descriptor: Int32

  /// Throws `.wakeup`.
  init() throws(DiscoveryError) {
    descriptor = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
    guard descriptor >= 0 else { throw .wakeup(errno: errno) }
  }

  deinit { close(descriptor) }

  /// Makes the descriptor readable.
  func raise() {
    // The only possible failure is a full counter, and then it is readable.
    _ = eventfd_write(descriptor, 1)
  }

  /// Makes the descriptor of a wakeup unreadable until the next `raise`.
  static func clear(_ descriptor: Int32) {
    var count: eventfd_t = 0
    _ = unsafe eventfd_read(descriptor, &count)
  }
}
