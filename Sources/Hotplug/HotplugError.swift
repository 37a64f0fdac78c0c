// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// Why the watch could not start; the number is errno.
public enum HotplugError: Error, Sendable, Hashable {
  /// udev_new failed.
  case context(errno: Int32)
  /// The netlink monitor could not be opened or configured.
  case monitor(errno: Int32)
  /// The descriptor that wakes the thread could not be made.
  case wakeup(errno: Int32)
  /// The thread could not be started.
  case thread(errno: Int32)
}
