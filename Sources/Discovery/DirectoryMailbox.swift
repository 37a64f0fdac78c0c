// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import Synchronization

/// What other threads want from the directory's thread.
final class DirectoryMailbox: Sendable {
  /// Raised after each change.
  let wakeup: DirectoryWakeup

  private struct Content {
    var devices: [PublishedDevice]?
    var isStopped = false
  }

  private let content = Mutex(Content())

  /// Throws `.wakeup`.
  init() throws(DiscoveryError) {
    wakeup = try DirectoryWakeup()
  }

  /// Leaves the wished set; an older one that was not taken yet is void.
  func publish(_ devices: [PublishedDevice]) {
    content.withLock { $0.devices = devices }
    wakeup.raise()
  }

  /// Asks the thread to end.
  func stop() {
    content.withLock { $0.isStopped = true }
    wakeup.raise()
  }

  /// The wished set, once.
  func takeDevices() -> [PublishedDevice]? {
    content.withLock { content in
      defer { content.devices = nil }
      return content.devices
    }
  }

  /// True after `stop`.
  var isStopped: Bool { content.withLock { $0.isStopped } }
}
