// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

private import CLinux
private import Glibc
public import SystemPackage

/// This process's own rights, and giving them up for good.
///
/// What the kernel then does for every thread, until the process ends: a system call that is not on
/// the filter's list kills it; no path leads anywhere; no user's files, no capability, no new rights.
/// Descriptors that are open stay usable.
public enum Sandbox {
  /// Closes every descriptor above `last`, whoever left it open.
  ///
  /// Throws `SandboxError` where the kernel has no close_range(2).
  public static func closeDescriptors(above last: Int32) throws(SandboxError) {
    try SandboxError.check(clinux_close_from(UInt32(last + 1)), "close descriptors")
  }

  /// Gives up everything that `filter` and `limits` do not leave; nothing undoes it.
  ///
  /// The process becomes `user`, with `root`, an empty directory, as its whole file system. Both
  /// need the rights of root, as dropping the bounding set does; without them the process stays who
  /// it is, and paths are kept from it by the filter alone. Call it with one thread. Throws
  /// `SandboxError` at the first step that fails: the process is somewhere in between then, and must
  /// end.
  public static func enter(
    filter: [UInt8], limits: SandboxLimits, as user: SandboxUser?, root: FilePath?
  ) throws(SandboxError) {
    forgetSignalHandlers()
    try SandboxError.check(clinux_no_new_privileges(), "set no_new_privs")
    if geteuid() == 0 {
      try SandboxError.check(clinux_drop_bounding_set(), "drop the bounding set")
    }
    if let root {
      // SAFETY: the string lives for the call.
      let result = unsafe root.withCString { unsafe clinux_change_root($0) }
      try SandboxError.check(result, "change the root directory")
    }
    if let user {
      try SandboxError.check(clinux_become(user.user, user.group), "change the user")
    }
    try SandboxError.check(clinux_drop_capabilities(), "drop capabilities")
    // After the change of user, which sets it anew.
    try SandboxError.check(clinux_not_dumpable(), "forbid dumps")
    try limit(limits)
    try load(filter)
  }

  private static func limit(_ limits: SandboxLimits) throws(SandboxError) {
    let values: [(resource: Int32, value: UInt)] = [
      (clinux_limit_core, 0),
      (clinux_limit_file_size, 0),
      (clinux_limit_locks, 0),
      (clinux_limit_message_queues, 0),
      (clinux_limit_descriptors, limits.descriptors),
      (clinux_limit_data, limits.memory),
    ]
    for limit in values {
      try SandboxError.check(clinux_limit(limit.resource, limit.value), "set a limit")
    }
  }

  private static func load(_ filter: [UInt8]) throws(SandboxError) {
    guard !filter.isEmpty, filter.count.isMultiple(of: instructionSize),
      let count = UInt16(exactly: filter.count / instructionSize)
    else { throw SandboxError("load the system call filter", .invalidArgument) }
    // SAFETY: the kernel reads `count` instructions during the call, which the array has.
    let result = unsafe filter.withUnsafeBytes { bytes in
      guard let start = bytes.baseAddress else { return Int32(-1) }
      return unsafe clinux_filter_system_calls(start, count)
    }
    try SandboxError.check(result, "load the system call filter")
  }

  /// Bytes of a `struct sock_filter` (<linux/filter.h>).
  private static let instructionSize = 8

  /// A crash just ends the process: a handler that a runtime installed would start a program to
  /// print a backtrace.
  private static func forgetSignalHandlers() {
    for number in [SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGSYS] {
      _ = signal(number, SIG_DFL)
    }
  }
}
