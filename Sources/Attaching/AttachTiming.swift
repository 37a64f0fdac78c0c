// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// How long the steps of attaching may take.
public struct AttachTiming: Sendable {
  /// Until an attached device must be usable.
  public var usable: Duration
  /// How long silence must last before a device without a driver counts as usable.
  public var quiet: Duration
  /// Until the kernel must have freed a port.
  public var detached: Duration
  /// Between two looks at a port that is being freed; the kernel sends no event for that.
  public var look: Duration

  /// How long no event is waited for before a look: a kernel whose reader is slow drops some (netlink(7)).
  public var unheard: Duration

  /// Takes all; the defaults fit a real machine and an emulated one.
  public init(
    usable: Duration = .seconds(20), quiet: Duration = .milliseconds(1500),
    detached: Duration = .seconds(10), look: Duration = .milliseconds(50),
    unheard: Duration = .milliseconds(500)
  ) {
    self.usable = usable
    self.quiet = quiet
    self.detached = detached
    self.look = look
    self.unheard = unheard
  }
}
