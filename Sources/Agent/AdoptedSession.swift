// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import LinuxHost

/// A session of an agent before this one that still serves its device.
struct AdoptedSession: Sendable {
  /// What that agent wrote down of it.
  let held: HeldSession
  /// Its process.
  let process: SessionProcess
  /// The agent's end of its control socket.
  let channel: ControlChannel
  /// Questions to it.
  let line: SessionLine

  /// Takes over the session behind `control`; `nil` where it has ended.
  init?(_ held: HeldSession, control: consuming OwnedDescriptor) {
    // In this order: a process that had the other end after it was found is the one meant, and not
    // another one with the number of a dead one.
    guard let process = try? SessionProcess.adopt(pid: held.pid),
      ControlChannel.isConnected(control),
      let channel = try? ControlChannel(adopting: control)
    else { return nil }
    self.held = held
    self.process = process
    self.channel = channel
    let now = HostClock.monotonic
    line = SessionLine(
      channel, since: .now - .nanoseconds(Int64(clamping: now - min(now, held.began))))
  }
}
