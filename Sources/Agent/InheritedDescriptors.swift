// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import LinuxHost
internal import Synchronization
internal import Systemd

/// What an agent before this one had the service manager keep, until somebody takes it.
///
/// Held no longer than that: a descriptor that lives on keeps a hub's port claimed.
final class InheritedDescriptors: Sendable {
  private let descriptors: Mutex<[String: SharedDescriptor]>

  /// Takes over what the manager passed to this process; call it once.
  init() {
    let passed = StoredDescriptors.take().map { name, number in
      (name, SharedDescriptor(OwnedDescriptor(adopting: number)))
    }
    descriptors = Mutex(Dictionary(passed) { $1 })
  }

  /// All of them by name; nothing the second time.
  func take() -> [String: SharedDescriptor] {
    descriptors.withLock { descriptors in
      defer { descriptors = [:] }
      return descriptors
    }
  }
}
