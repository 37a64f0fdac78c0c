// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import SystemPackage

/// How long it takes to reach a TCP port of another machine.
public enum RoundTrip {
  /// Connects once, before `limit` has passed, and closes again; the time that took.
  ///
  /// Blocks meanwhile. Throws `HostError` as a connection does: `ETIMEDOUT`, `ECONNREFUSED`, `EHOSTUNREACH`.
  public static func measure(
    _ address: NetworkAddress, limit: Duration = .seconds(2)
  ) throws(HostError) -> Duration {
    let socket = StreamSocket(try DialSocket.make(for: address))
    let started = ContinuousClock.now
    try socket.connect(to: address, before: started + limit)
    return started.duration(to: .now)
  }
}
