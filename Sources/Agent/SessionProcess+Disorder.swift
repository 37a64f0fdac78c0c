// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import Glibc
internal import LinuxHost

extension SessionProcess.End {
  /// What to tell of a session that neither ended by itself nor was told to; `nil` for any other.
  var disorder: String? {
    guard case .signalled(let signal) = self else { return nil }
    switch signal {
    case SIGTERM, SIGKILL: return nil
    case SIGSYS: return "the kernel stopped it at a system call its sandbox forbids"
    default: return "it crashed (signal \(signal))"
    }
  }
}
