// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import Glibc
import Synchronization
import SystemPackage
import TestSupport

/// One process of this project's programs, with its output line by line.
final class Program: Sendable {
  /// One line of output.
  struct Line: Sendable, Hashable {
    /// True for standard error.
    var isTalk: Bool
    /// Without the newline.
    var text: String
  }

  /// What it printed.
  let output = EventLog<Line>()
  /// Its exit status, or 128 and the signal that ended it; one element at the end.
  private let end = EventLog<Int32>()
  /// The process ID.
  let pid: pid_t

  /// Starts `executable` with only `environment`; throws `Errno`.
  ///
  /// `user` are options of setpriv(1). The kernel ends it when the tests end, however they do.
  init(
    _ executable: FilePath, _ arguments: [String], environment: [String: String] = [:],
    user: [String] = []
  ) async throws {
    let (data, talk) = (try FileDescriptor.pipe(), try FileDescriptor.pipe())
    // A process that another test starts would keep them open for as long as it lives.
    for end in [data.readEnd, data.writeEnd, talk.readEnd, talk.writeEnd] {
      _ = fcntl(end.rawValue, F_SETFD, FD_CLOEXEC)
    }
    // Only the program itself gets the environment: it may preload what `setpriv` cannot.
    let variables = environment.map { "\($0)=\($1)" }
    let words =
      ["setpriv", "--pdeathsig", "KILL"] + user + ["env", "-i"] + variables + [executable.string]
      + arguments
    let ends = (data.writeEnd, talk.writeEnd)
    pid = try await Launcher.shared.run {
      defer {
        try? ends.0.close()
        try? ends.1.close()
      }
      return try Program.spawn(words, output: ends.0.rawValue, error: ends.1.rawValue)
    }
    // Its end is told after all it printed.
    let part = PartsOfTheEnd(3, end)
    Program.read(data.readEnd, isTalk: false, into: output, part)
    Program.read(talk.readEnd, isTalk: true, into: output, part)
    BackgroundThread.start { [pid] in
      var code: Int32 = 0
      while waitpid(pid, &code, 0) < 0 && errno == EINTR {}
      let signal = code & 0x7F
      part.done(status: signal == 0 ? (code >> 8) & 0xFF : 128 + signal)
    }
  }

  deinit { if end.events.isEmpty { kill(pid, SIGKILL) } }

  /// Sends a signal.
  func signal(_ number: Int32) { kill(pid, number) }

  /// Waits for the end and returns its status; throws `NotInTime`.
  func ended(within limit: Duration = .seconds(20)) async throws -> Int32 {
    do {
      try await end.wait(within: limit) { !$0.isEmpty }
    } catch {
      throw NotInTime(description: "still runs; it printed \(output.events.map(\.text))")
    }
    return end.events.first ?? -1
  }

  /// The lines of standard output.
  var data: [String] { output.events.filter { !$0.isTalk }.map(\.text) }
  /// The lines of standard error.
  var talk: [String] { output.events.filter(\.isTalk).map(\.text) }

  /// Waits for a line that contains all of `parts`; throws `NotInTime`.
  func line(_ parts: String..., within limit: Duration = .seconds(20)) async throws {
    try await output.wait(within: limit) { lines in
      lines.contains { line in parts.allSatisfy { line.text.contains($0) } }
    }
  }

  private static func read(
    _ pipe: FileDescriptor, isTalk: Bool, into output: EventLog<Line>, _ part: PartsOfTheEnd
  ) {
    BackgroundThread.start {
      var rest: [UInt8] = []
      var buffer = [UInt8](repeating: 0, count: 4096)
      while let count = try? buffer.withUnsafeMutableBytes({ try pipe.read(into: $0) }), count > 0 {
        rest += buffer.prefix(count)
        while let newline = rest.firstIndex(of: 10) {
          output.record(
            Line(isTalk: isTalk, text: String(decoding: rest[..<newline], as: UTF8.self)))
          rest.removeSubrange(...newline)
        }
      }
      if !rest.isEmpty {
        output.record(Line(isTalk: isTalk, text: String(decoding: rest, as: UTF8.self)))
      }
      try? pipe.close()
      part.done(status: nil)
    }
  }

  private static func spawn(
    _ words: [String], output: Int32, error: Int32
  ) throws -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, output, 1)
    posix_spawn_file_actions_adddup2(&actions, error, 2)
    // Whatever other tests of this process have open stays theirs.
    for number in 3..<1024 { posix_spawn_file_actions_addclose(&actions, Int32(number)) }
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // The tests ignore SIGPIPE, and a process inherits what is ignored.
    var defaults = sigset_t()
    sigfillset(&defaults)
    posix_spawnattr_setsigdefault(&attributes, &defaults)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF))
    var arguments = words.map { strdup($0) } + [nil]
    var pairs = [strdup("PATH=/usr/sbin:/usr/bin:/sbin:/bin"), nil]
    defer { (arguments + pairs).forEach { free($0) } }
    var pid: pid_t = 0
    let code = posix_spawnp(&pid, words[0], &actions, &attributes, &arguments, &pairs)
    guard code == 0 else { throw Errno(rawValue: code) }
    return pid
  }
}

/// The three threads that follow a process: the last one to finish tells its end.
private final class PartsOfTheEnd: Sendable {
  private let state: Mutex<(remaining: Int, status: Int32)>
  private let end: EventLog<Int32>

  init(_ count: Int, _ end: EventLog<Int32>) {
    state = Mutex((count, 0))
    self.end = end
  }

  func done(status: Int32?) {
    let last = state.withLock { state -> Int32? in
      state.remaining -= 1
      if let status { state.status = status }
      return state.remaining == 0 ? state.status : nil
    }
    if let last { end.record(last) }
  }
}
