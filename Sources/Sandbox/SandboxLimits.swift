// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// What a sandboxed process may take of the machine.
public struct SandboxLimits: Sendable, Hashable {
  /// Bytes of private writable memory, heap and thread stacks together (RLIMIT_DATA).
  public var memory: UInt
  /// Descriptors open at once (RLIMIT_NOFILE).
  public var descriptors: UInt

  /// For a session that exports a device.
  ///
  /// Memory: 64 MiB of buffers may be outstanding and 64 MiB more rest; as much again for holes in the
  /// heap between sizes that come and go, for stacks of threads, 8 MiB each, and the rest.
  /// Descriptors: four to start with; connection, device and a duplicate of each; libusb's two; epoll
  /// set, termination signal, event counters, a capture; four beside a control message.
  public static let export = SandboxLimits(memory: 256 << 20, descriptors: 24)

  /// For a session that makes a connection: a device list of the greatest length, several times.
  public static let dial = SandboxLimits(memory: 64 << 20, descriptors: 16)
}
