// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

private import CLinux
private import Glibc
private import Synchronization
public import SystemPackage

/// A session process: started by the agent, or found running after the agent's restart.
///
/// The process lives on when this object goes away. A started one is reaped exactly once whether or
/// not anybody waits for its end.
public final class SessionProcess: Sendable {
  /// How a process ended.
  public enum End: Sendable, Hashable {
    /// It returned this exit status.
    case exited(Int32)
    /// This signal ended it.
    case signalled(Int32)
    /// It is gone; only its parent could tell how.
    case unknown
  }

  /// The process ID.
  public let pid: Int32

  private let pidfd: SharedDescriptor
  private let watch: Watch

  private init(watching pid: Int32) throws(HostError) {
    let number = clinux_pidfd_open(pid)
    guard number >= 0 else { throw HostError("watch process", "\(pid)", .current) }
    self.pid = pid
    pidfd = SharedDescriptor(OwnedDescriptor(adopting: number))
    watch = try Watch(pidfd)
  }

  /// Starts `executable` in a session of its own.
  ///
  /// It has `/dev/null` as standard input and output, our standard error, `control` as descriptor 3,
  /// nothing else open, only `environment`, no signal blocked and every signal at its default.
  /// `arguments` do not count the program's own name. Throws `HostError`: `ENOENT` or `EACCES` for
  /// the executable, `EAGAIN` where the system has no room for a process.
  public static func start(
    executable: FilePath, control: consuming OwnedDescriptor, arguments: [String] = [],
    environment: [String: String] = [:]
  ) throws(HostError) -> SessionProcess {
    let name = executable.lastComponent?.string ?? executable.string
    let variables = environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    let controlNumber = control.rawValue
    let pid = unsafe executable.withCString { path in
      unsafe withCStrings([name] + arguments) { arguments in
        unsafe withCStrings(variables) { environment in
          // SAFETY: both lists end with nil; everything lives for the call.
          unsafe clinux_spawn(path, arguments, environment, controlNumber)
        }
      }
    }
    guard pid > 0 else { throw HostError("start", executable.string, .current) }
    do throws(HostError) {
      return try SessionProcess(watching: pid)
    } catch {
      // Nobody could watch it: end it, and reap it here, which SIGKILL makes short.
      _ = Glibc.kill(pid, SIGKILL)
      _ = waitpid(pid, nil, 0)
      throw error
    }
  }

  /// Watches a process that an earlier run of the agent started; its end will be `unknown`.
  ///
  /// Throws `HostError` with `ESRCH` where there is none with this ID.
  public static func adopt(pid: Int32) throws(HostError) -> SessionProcess {
    try SessionProcess(watching: pid)
  }

  /// Waits for the end; `nil` when the calling task is cancelled first (the process lives on).
  ///
  /// Any number of tasks may wait, also after the end.
  public func ended() async -> End? {
    await watch.end()
  }

  /// Asks the process to end (SIGTERM); nothing happens where it has ended.
  public func terminate() {
    _ = clinux_pidfd_signal(pidfd.rawValue, SIGTERM)
  }

  /// Ends the process at once (SIGKILL); nothing happens where it has ended.
  public func kill() {
    _ = clinux_pidfd_signal(pidfd.rawValue, SIGKILL)
  }

  /// Lends strings as a C array with nil at its end.
  static func withCStrings<Result>(
    _ strings: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result
  ) -> Result {
    // SAFETY: each copy is freed after the call, and the array has one more element, nil.
    var pointers = unsafe strings.map { unsafe strdup($0) }
    unsafe pointers.append(nil)
    defer { unsafe pointers.forEach { unsafe free($0) } }
    return unsafe body(&pointers)
  }
}
