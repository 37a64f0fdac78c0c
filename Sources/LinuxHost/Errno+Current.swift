// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

private import Glibc
internal import SystemPackage

extension Errno {
  /// The calling thread's `errno`; read it directly after the call that failed.
  static var current: Errno { Errno(rawValue: errno) }
}

/// Repeats a system call while a signal interrupts it; the result is the call's, or the error.
///
/// Not for close(2): Linux frees the descriptor before it reports EINTR.
func retryingOnInterrupt<Result: SignedInteger>(
  _ call: () -> Result
) -> Swift.Result<Result, Errno> {
  while true {
    let result = call()
    if result >= 0 { return .success(result) }
    let code = Errno.current
    if code != .interrupted { return .failure(code) }
  }
}
