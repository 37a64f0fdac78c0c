// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// Why the directory could not start; the number is errno.
public enum DiscoveryError: Error, Sendable, Hashable {
  /// The descriptor that wakes the thread could not be made.
  case wakeup(errno: Int32)
  /// The thread could not be started.
  case thread(errno: Int32)
}
