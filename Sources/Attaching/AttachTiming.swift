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

  /// Takes all four; the defaults fit a real machine and an emulated one.
  public init(
    usable: Duration = .seconds(20), quiet: Duration = .milliseconds(1500),
    detached: Duration = .seconds(10), look: Duration = .milliseconds(50)
  ) {
    self.usable = usable
    self.quiet = quiet
    self.detached = detached
    self.look = look
  }
}
