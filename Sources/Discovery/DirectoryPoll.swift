// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import CAvahi
internal import Glibc

/// Avahi's event loop, and the descriptor that wakes it.
// SAFETY: @unchecked because Avahi's loop belongs to one thread at a time. It is made by the directory
// and then handed to its thread, which alone uses it; other threads only raise the wakeup.
@safe final class DirectoryPoll: @unchecked Sendable {
  private let handle: OpaquePointer
  private let wakeup: DirectoryWakeup

  /// Throws `.wakeup`.
  init(wakeup: DirectoryWakeup) throws(DiscoveryError) {
    guard let handle = unsafe avahi_simple_poll_new() else { throw .wakeup(errno: errno) }
    unsafe self.handle = unsafe handle
    self.wakeup = wakeup
    // SAFETY: the callback looks at the descriptor only, and the loop is freed before the wakeup.
    guard let api = unsafe avahi_simple_poll_get(handle),
      let watchNew = unsafe api.pointee.watch_new,
      unsafe watchNew(
        api, wakeup.descriptor, AVAHI_WATCH_IN,
        { _, descriptor, _, _ in DirectoryWakeup.clear(descriptor) }, nil) != nil
    else { throw .wakeup(errno: ENOMEM) }
  }

  deinit { unsafe avahi_simple_poll_free(handle) }

  /// Avahi's table of functions, for its client; lives as long as this value.
  var interface: UnsafePointer<AvahiPoll>? { unsafe avahi_simple_poll_get(handle) }

  /// Waits at most until `deadline` and runs what is due; false where the loop cannot go on.
  func iterate(until deadline: ContinuousClock.Instant?) -> Bool {
    var milliseconds: Int32 = -1
    if let deadline {
      let left = max(.zero, ContinuousClock.now.duration(to: deadline)).components
      milliseconds = Int32(
        clamping: left.seconds * 1000 + left.attoseconds / 1_000_000_000_000_000 + 1)
    }
    return unsafe avahi_simple_poll_iterate(handle, milliseconds) == 0
  }
}
