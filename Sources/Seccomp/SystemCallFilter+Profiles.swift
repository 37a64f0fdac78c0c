// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

private import CLinux
private import Glibc
internal import SystemPackage

/// The lists. A path, a new socket, another process or program is on neither of them.
extension SystemCallFilter {
  static func make(for profile: SystemCallProfile) throws(SeccompError) -> SystemCallFilter {
    let filter = try empty()
    try filter.allow(everywhere)
    try filter.allowThreadsAndMemory()
    try filter.allowDescriptorSettings()
    switch profile {
    case .export: try filter.allowDevice()
    case .dial: try filter.allow(["connect"])
    }
    return filter
  }

  /// Data and events on descriptors that are open; memory, time, threads, the end.
  private static let everywhere: [StaticString] = [
    "read", "write", "writev", "close", "fstat",
    "recvfrom", "recvmsg", "sendto", "sendmsg", "shutdown",
    "getsockopt", "getsockname", "getpeername",
    "poll", "ppoll", "epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait", "epoll_pwait2",
    "eventfd2", "signalfd4", "timerfd_create", "timerfd_settime", "timerfd_gettime",
    "brk", "munmap", "mremap", "madvise",
    "clock_gettime", "clock_getres", "clock_nanosleep", "nanosleep", "gettimeofday",
    "futex", "set_robust_list", "rseq", "sched_yield", "sched_getaffinity",
    "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack", "restart_syscall",
    "getpid", "gettid", "getrusage", "getrandom",
    "exit", "exit_group",
  ]

  /// A thread, not a process; memory that is never code.
  private borrowing func allowThreadsAndMemory() throws(SeccompError) {
    // Its flags lie in memory, where a filter does not see them: glibc takes clone(2) instead.
    try refuse("clone3", with: .noFunction)
    let flags = SystemCallFilter.cloneThread | SystemCallFilter.cloneNewNamespaces
    try allow("clone", where: .bits(0, flags, are: SystemCallFilter.cloneThread))
    try allow("mmap", where: .bits(2, UInt64(PROT_EXEC), are: 0))
    try allow("mprotect", where: .bits(2, UInt64(PROT_EXEC), are: 0))
    // A thread's name.
    try allow("prctl", where: .number(0, is: SystemCallFilter.prctlSetName))
  }

  /// Duplicates, blocking or not, and what TCP connections are set to.
  private borrowing func allowDescriptorSettings() throws(SeccompError) {
    // Not F_SETOWN, which sends signals to others.
    for command in [F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL, F_SETFL] {
      try allow("fcntl", where: .number(1, is: command))
    }
    for option in [SO_KEEPALIVE, SO_SNDBUF, SO_RCVBUF, SO_BUSY_POLL] {
      try allow("setsockopt", where: .number(1, is: SOL_SOCKET), .number(2, is: option))
    }
    let options = [
      TCP_NODELAY, TCP_CORK, TCP_QUICKACK, TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT,
      TCP_USER_TIMEOUT, TCP_NOTSENT_LOWAT,
    ]
    for option in options {
      try allow("setsockopt", where: .number(1, is: Int32(IPPROTO_TCP)), .number(2, is: option))
    }
  }

  /// usbfs on an open node, and nothing else that ioctl(2) can do.
  private borrowing func allowDevice() throws(SeccompError) {
    // Reading the descriptors.
    try allow(["pread64", "lseek"])
    for index in 0..<clinux_usbfs_session_request_count() {
      try allow("ioctl", where: .number(1, is: clinux_usbfs_session_request(index)))
    }
    // libusb asks /proc for a name of the node, and goes on without one.
    try refuse("readlink", with: .noSuchFileOrDirectory)
    try refuse("readlinkat", with: .noSuchFileOrDirectory)
  }

  // Macros that the platform module does not show.
  /// CLONE_THREAD (<linux/sched.h>).
  private static let cloneThread: UInt64 = 0x0001_0000
  /// CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET of the same header.
  private static let cloneNewNamespaces: UInt64 = 0x7E02_0000
  /// PR_SET_NAME (<linux/prctl.h>).
  private static let prctlSetName: Int32 = 15
}
