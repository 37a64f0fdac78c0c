// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

private import CLinux
private import Glibc
internal import SystemPackage

/// What another program of this machine prints.
enum ProgramOutput {
  private static let environment = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8"]

  /// Runs `executable` and returns its standard output, `limit` bytes at most.
  ///
  /// It reads nothing and its errors go nowhere. Blocks until it ends, for `milliseconds` at most; then it is killed.
  /// Throws `HostError`: as `posix_spawn`, `EFBIG`, `ETIMEDOUT`, or `EIO` where it did not succeed.
  static func read(
    _ executable: FilePath, _ arguments: [String], limit: Int, milliseconds: Int32
  ) throws(HostError) -> [UInt8] {
    let ends = try pipe(executable)
    let output = OwnedDescriptor(adopting: ends.reading)
    let pid = try start(executable, arguments, output: OwnedDescriptor(adopting: ends.writing))
    let result = collect(output, executable, limit: limit, milliseconds: milliseconds)
    if case .failure = result { _ = kill(pid, SIGKILL) }
    var status: Int32 = 0
    // SAFETY: waitpid fills the number; the process is our child and nobody else waits for it.
    while unsafe waitpid(pid, &status, 0) < 0 && errno == EINTR {}
    let bytes = try result.get()
    guard status == 0 else { throw HostError("run", executable.string, .ioError) }
    return bytes
  }

  private static func pipe(
    _ executable: FilePath
  ) throws(HostError) -> (reading: Int32, writing: Int32) {
    var ends: [Int32] = [-1, -1]
    // SAFETY: two numbers, which the call fills.
    guard unsafe clinux_pipe(&ends) == 0 else {
      throw HostError("make pipe for", executable.string, .current)
    }
    return (ends[0], ends[1])
  }

  private static func start(
    _ executable: FilePath, _ arguments: [String], output: consuming OwnedDescriptor
  ) throws(HostError) -> pid_t {
    var actions = unsafe posix_spawn_file_actions_t()
    // SAFETY: initialised here and destroyed below; the descriptors are open until the call is over.
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
    unsafe posix_spawn_file_actions_adddup2(&actions, output.rawValue, STDOUT_FILENO)
    unsafe posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0)
    var pid: pid_t = 0
    let name = executable.lastComponent?.string ?? executable.string
    let code = unsafe executable.withCString { path in
      unsafe SessionProcess.withCStrings([name] + arguments) { arguments in
        unsafe SessionProcess.withCStrings(environment) { environment in
          // SAFETY: both lists end with nil; everything lives for the call.
          unsafe posix_spawn(&pid, path, &actions, nil, arguments, environment)
        }
      }
    }
    guard code == 0 else { throw HostError("start", executable.string, Errno(rawValue: code)) }
    return pid
  }

  private static func collect(
    _ output: borrowing OwnedDescriptor, _ executable: FilePath, limit: Int, milliseconds: Int32
  ) -> Result<[UInt8], HostError> {
    let end = ContinuousClock.now + .milliseconds(Int(milliseconds))
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      let left = ContinuousClock.now.duration(to: end).nanoseconds / 1_000_000
      guard left > 0 else { return .failure(HostError("run", executable.string, .timedOut)) }
      var entry = pollfd(fd: output.rawValue, events: Int16(POLLIN), revents: 0)
      // SAFETY: one entry, which lives for the call.
      guard unsafe poll(&entry, 1, Int32(left)) > 0 else { continue }
      let result = unsafe chunk.withUnsafeMutableBytes { buffer in
        // SAFETY: read fills at most the buffer's count.
        retryingOnInterrupt {
          unsafe Glibc.read(output.rawValue, buffer.baseAddress, buffer.count)
        }
      }
      switch result {
      case .success(0): return .success(bytes)
      case .success(let count): bytes += chunk.prefix(count)
      case .failure(let code): return .failure(HostError("read", executable.string, code))
      }
      guard bytes.count <= limit else {
        return .failure(HostError("read", executable.string, .fileTooLarge))
      }
    }
  }
}
