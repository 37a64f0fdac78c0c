// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import Glibc

/// What an earlier run of this service had the manager keep (sd_listen_fds(3), "$LISTEN_FDS").
public enum StoredDescriptors {
  /// The first number passed (SD_LISTEN_FDS_START, systemd/sd-daemon.h).
  static let first: Int32 = 3
  /// The most that are taken; more would be a mistake of the manager.
  static let maximum = 4096

  /// The numbers by name, in the order in which they were stored; call it once, the caller owns them then.
  public static func take() -> [(name: String, descriptor: Int32)] {
    let found = take(
      environment: { name in
        guard let value = unsafe getenv(name) else { return nil }
        // SAFETY: ends with NUL; copied before anything could change the environment.
        return unsafe String(cString: value)
      }, processID: getpid())
    for (_, descriptor) in found { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
    return found
  }

  /// The same from `environment`; `processID` is the one `LISTEN_PID` must name.
  static func take(
    environment: (String) -> String?, processID: Int32
  ) -> [(name: String, descriptor: Int32)] {
    guard environment("LISTEN_PID") == String(processID),
      let count = environment("LISTEN_FDS").flatMap(Int.init), (1...maximum).contains(count)
    else { return [] }
    let names = (environment("LISTEN_FDNAMES") ?? "").split(
      separator: ":", omittingEmptySubsequences: false)
    return (0..<count).map { index in
      (index < names.count ? String(names[index]) : "", first + Int32(index))
    }
  }
}
