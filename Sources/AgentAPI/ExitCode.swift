// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// How `devconfig` ends, one number per kind of failure; documented in devconfig(1).
public enum ExitCode: Int32, Sendable, CaseIterable {
  case success = 0
  /// Something nobody planned for.
  case failure = 1
  /// No device matches.
  case unknownDevice = 2
  /// Several devices match.
  case ambiguousDevice = 3
  /// Somebody else has the device.
  case inUse = 4
  /// The exporter keeps the device, or policy refuses.
  case denied = 5
  /// The exporter does not answer, or the device left it.
  case unreachable = 6
  /// The agent does not run on this machine.
  case noAgent = 7
  /// The caller is not in the group `devconfig`, or the agent lacks a right.
  case notPermitted = 8
  /// The kernel has no vhci_hcd.
  case kernelSupportMissing = 9
  /// All ports of vhci_hcd are taken.
  case noFreePort = 10
  /// The device did not become usable in time.
  case timedOut = 11
  /// Agent and program do not understand each other.
  case protocolMismatch = 12
  /// The command line is wrong (sysexits.h, EX_USAGE).
  case usage = 64
}
