// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

private import CLinux
private import CSeccomp
private import Glibc
internal import SystemPackage

/// A seccomp filter in the making (libseccomp): what no rule names kills the process.
@safe struct SystemCallFilter: ~Copyable {
  /// What an argument of a system call has to be.
  struct Condition {
    /// The argument's place, from 0.
    let argument: UInt32
    /// The bits that count.
    let mask: UInt64
    /// What these bits are.
    let value: UInt64

    /// The argument, an `int` or `unsigned int`, is `value`.
    ///
    /// The kernel looks at the lower half of the register only, so this does too.
    static func number(_ argument: UInt32, is value: UInt32) -> Condition {
      Condition(argument: argument, mask: 0xFFFF_FFFF, value: UInt64(value))
    }

    /// As above.
    static func number(_ argument: UInt32, is value: Int32) -> Condition {
      number(argument, is: UInt32(bitPattern: value))
    }

    /// Of the argument's bits `mask`, exactly `value` are set.
    static func bits(_ argument: UInt32, _ mask: UInt64, are value: UInt64) -> Condition {
      Condition(argument: argument, mask: mask, value: value)
    }
  }

  private let context: UnsafeMutableRawPointer

  private init(_ context: UnsafeMutableRawPointer) {
    unsafe self.context = context
  }

  /// One without rules; throws `SeccompError`.
  static func empty() throws(SeccompError) -> SystemCallFilter {
    guard let context = unsafe seccomp_init(SystemCallFilter.kill) else {
      throw SeccompError("make a system call filter", .noMemory)
    }
    let filter = unsafe SystemCallFilter(context)
    // A system call of another architecture than this program's: killed as well.
    try filter.set(SCMP_FLTATR_ACT_BADARCH, SystemCallFilter.kill)
    // A binary tree: no system call waits for a long list of others to be compared.
    try filter.set(SCMP_FLTATR_CTL_OPTIMIZE, 2)
    return filter
  }

  deinit {
    // SAFETY: made in `empty`, used nowhere after this.
    unsafe seccomp_release(context)
  }

  /// Allows these system calls whatever their arguments are.
  borrowing func allow(_ names: [StaticString]) throws(SeccompError) {
    for name in names { try add(SystemCallFilter.allowed, name, []) }
  }

  /// Allows a system call where all `conditions` hold.
  borrowing func allow(
    _ name: StaticString, where conditions: Condition...
  ) throws(SeccompError) {
    try add(SystemCallFilter.allowed, name, conditions)
  }

  /// Answers a system call with an error instead of killing, because a library tries it.
  borrowing func refuse(_ name: StaticString, with code: Errno) throws(SeccompError) {
    try add(cseccomp_refuse(code.rawValue), name, [])
  }

  /// The filter as the kernel takes it: an array of `struct sock_filter`.
  borrowing func program() throws(SeccompError) -> [UInt8] {
    // A pipe takes it whole: it has room for 64 KiB, and a filter for 32 KiB (BPF_MAXINSNS).
    var ends: [Int32] = [-1, -1]
    // SAFETY: the kernel writes two numbers.
    guard unsafe clinux_pipe(&ends) == 0 else {
      throw SeccompError("open a pipe", Errno(rawValue: errno))
    }
    defer { close(ends[0]) }
    let result = unsafe seccomp_export_bpf(context, ends[1])
    close(ends[1])
    try SystemCallFilter.check(result, "write the system call filter")
    var program: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 4096)
    while true {
      // SAFETY: the kernel writes at most the array's own length.
      let count = unsafe read(ends[0], &piece, piece.count)
      guard count > 0 else { return program }
      program += piece.prefix(count)
    }
  }

  private borrowing func set(_ attribute: scmp_filter_attr, _ value: UInt32) throws(SeccompError) {
    try SystemCallFilter.check(
      unsafe seccomp_attr_set(context, attribute, value), "set up the system call filter")
  }

  private borrowing func add(
    _ action: UInt32, _ name: StaticString, _ conditions: [Condition]
  ) throws(SeccompError) {
    // SAFETY: a StaticString ends with NUL.
    let number = unsafe name.utf8Start.withMemoryRebound(
      to: CChar.self, capacity: name.utf8CodeUnitCount + 1
    ) { unsafe seccomp_syscall_resolve_name($0) }
    // Not known to this version of the library: it stays forbidden.
    guard number != SystemCallFilter.unknown else { return }
    let comparisons = conditions.map { condition in
      scmp_arg_cmp(
        arg: condition.argument, op: SCMP_CMP_MASKED_EQ, datum_a: condition.mask,
        datum_b: condition.value)
    }
    let result = unsafe comparisons.withUnsafeBufferPointer { list in
      // SAFETY: the array lives for the call, its length is its own; none is read of an empty one.
      unsafe seccomp_rule_add_array(
        context, action, number, UInt32(list.count), list.baseAddress)
    }
    try SystemCallFilter.check(result, "add to the system call filter")
  }

  private static func check(_ result: Int32, _ step: StaticString) throws(SeccompError) {
    guard result == 0 else { throw SeccompError(step, Errno(rawValue: -result)) }
  }

  // Macros of <seccomp.h> with casts, which the importer leaves out.
  /// SCMP_ACT_KILL_PROCESS.
  private static let kill: UInt32 = 0x8000_0000
  /// SCMP_ACT_ALLOW.
  private static let allowed: UInt32 = 0x7FFF_0000
  /// __NR_SCMP_ERROR.
  private static let unknown: Int32 = -1
}
