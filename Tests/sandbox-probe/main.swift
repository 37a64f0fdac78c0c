// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import CSandboxProbe
import Glibc
import Sandbox
import Seccomp
import SystemPackage

// Enters the sandbox of a session through the same function, then does what it is told:
//
//     sandbox-probe PROFILE [--user UID GID] [--root DIRECTORY] try NAME | work | wait | cost COUNT
//
// It prints what came of it; a process that the kernel kills prints nothing.

exit(Probe.run(Array(CommandLine.arguments.dropFirst())))

enum Probe {
  static func run(_ words: [String]) -> Int32 {
    var words = words[...]
    guard let profile = words.popFirst().flatMap(SystemCallProfile.init(rawValue:)) else {
      return 64
    }
    var user: SandboxUser?
    var root: FilePath?
    if words.first == "--user" {
      words.removeFirst()
      guard let number = words.popFirst().flatMap({ UInt32($0) }),
        let group = words.popFirst().flatMap({ UInt32($0) })
      else { return 64 }
      user = SandboxUser(user: number, group: group)
    }
    if words.first == "--root" {
      words.removeFirst()
      root = words.popFirst().map { FilePath($0) }
    }
    guard let action = words.popFirst() else { return 64 }
    if action == "cost" { return cost(profile, user, root, Int(words.first ?? "") ?? 100) }
    guard probe_prepare() == 0 else { return 1 }
    do {
      try enter(try profile.program(), profile, user, root)
    } catch {
      say("cannot enter: \(error)")
      return 1
    }
    switch action {
    case "try":
      let result = probe_attempt(words.first ?? "")
      say(result == PROBE_UNKNOWN ? "unknown" : "answered \(result)")
    case "work":
      work()
    case "wait":
      say("ready")
      _ = poll(nil, 0, -1)
    default:
      return 64
    }
    return 0
  }

  static func enter(
    _ filter: [UInt8], _ profile: SystemCallProfile, _ user: SandboxUser?, _ root: FilePath?
  ) throws {
    try Sandbox.enter(
      filter: filter, limits: profile == .export ? .export : .dial, as: user, root: root)
  }

  /// What sessions do all day, and what they may take.
  static func work() {
    say("thread \(probe_thread())")
    say("events \(probe_events())")
    say("memory \(probe_memory(4, 16 << 20))")
    // More than any profile allows.
    say("too much memory \(probe_memory(1, 512 << 20))")
    say("descriptors \(probe_descriptors())")
  }

  /// Enters the sandbox in `count` children, one after the other, and prints the median time, then
  /// what an ioctl costs outside and inside.
  static func cost(
    _ profile: SystemCallProfile, _ user: SandboxUser?, _ root: FilePath?, _ count: Int
  ) -> Int32 {
    var pipe: [Int32] = [-1, -1]
    guard Glibc.pipe(&pipe) == 0, let filter = try? profile.program() else { return 1 }
    var times: [Double] = []
    for _ in 0..<count {
      let child = probe_fork()
      if child == 0 {
        let start = ContinuousClock.now
        try? enter(filter, profile, user, root)
        let elapsed = start.duration(to: .now)
        var microseconds = Double(elapsed.components.attoseconds) / 1e12
        _ = write(pipe[1], &microseconds, MemoryLayout<Double>.size)
        exit(0)
      }
      var microseconds = 0.0
      guard child > 0, read(pipe[0], &microseconds, MemoryLayout<Double>.size) > 0 else { return 1 }
      times.append(microseconds)
      var status: Int32 = 0
      waitpid(child, &status, 0)
    }
    times.sort()
    say("enter: median \(Int(times[count / 2])) us, longest \(Int(times[count - 1])) us")
    guard profile == .export else { return 0 }
    let outside = probe_ioctl_cost(1_000_000)
    try? enter(filter, profile, user, root)
    say("ioctl: \(Int(outside)) ns outside, \(Int(probe_ioctl_cost(1_000_000))) ns inside")
    return 0
  }

  static func say(_ text: String) {
    let bytes = Array("\(text)\n".utf8)
    _ = write(STDOUT_FILENO, bytes, bytes.count)
  }
}
