// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// What a process is for; each has its own list of system calls.
public enum SystemCallProfile: String, Sendable, CaseIterable {
  /// Serves one connection with one device: the ioctls of usbfs, no new connection.
  case export
  /// Makes one connection: `connect` on the socket it is given, no ioctl.
  case dial

  /// The profile as a program of the kernel's seccomp filter, an array of `struct sock_filter`.
  ///
  /// Making it takes as long as a session's whole start may: make it once. Throws `SeccompError`.
  public func program() throws(SeccompError) -> [UInt8] {
    let filter = try SystemCallFilter.make(for: self)
    return try filter.program()
  }
}
