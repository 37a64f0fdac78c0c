// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import Glibc
internal import SystemPackage

/// Socket options, set before anything is sent because they stay in force in vhci_hcd's hands.
public enum SocketOptions {
  /// Seconds of silence until the first keepalive probe.
  static let keepaliveIdle: Int32 = 5
  /// Seconds between probes.
  static let keepaliveInterval: Int32 = 2
  /// Probes without an answer until the connection is given up.
  static let keepaliveCount: Int32 = 3
  /// Milliseconds that sent data may stay unacknowledged.
  static let userTimeout: Int32 = 10_000

  /// Makes a TCP connection notice a dead peer within about 11 s, and send small packets at once.
  ///
  /// Without it the kernel's defaults notice after two hours. Does not set `SO_RCVTIMEO`, which
  /// vhci_hcd takes for a broken connection. Throws `HostError` for a descriptor that is no socket.
  public static func prepareConnection(_ descriptor: Int32) throws(HostError) {
    try set(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, 1, "set TCP_NODELAY")
    try set(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1, "set SO_KEEPALIVE")
    try set(descriptor, Int32(IPPROTO_TCP), TCP_KEEPIDLE, keepaliveIdle, "set TCP_KEEPIDLE")
    try set(descriptor, Int32(IPPROTO_TCP), TCP_KEEPINTVL, keepaliveInterval, "set TCP_KEEPINTVL")
    try set(descriptor, Int32(IPPROTO_TCP), TCP_KEEPCNT, keepaliveCount, "set TCP_KEEPCNT")
    try set(descriptor, Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, userTimeout, "set TCP_USER_TIMEOUT")
  }

  /// setsockopt(2) of an `int`.
  static func set(
    _ descriptor: Int32, _ level: Int32, _ name: Int32, _ value: Int32, _ operation: StaticString
  ) throws(HostError) {
    var value = value
    // SAFETY: the option is an int, and its length says so.
    let result = unsafe setsockopt(
      descriptor, level, name, &value, socklen_t(MemoryLayout<Int32>.size))
    guard result == 0 else { throw HostError(operation, "\(descriptor)", .current) }
  }

  /// getsockopt(2) of an `int`; `nil` where the kernel has no answer.
  static func value(_ descriptor: Int32, _ level: Int32, _ name: Int32) -> Int32? {
    var value: Int32 = 0
    var length = socklen_t(MemoryLayout<Int32>.size)
    // SAFETY: the option is an int, and its length says so.
    return unsafe getsockopt(descriptor, level, name, &value, &length) == 0 ? value : nil
  }
}
