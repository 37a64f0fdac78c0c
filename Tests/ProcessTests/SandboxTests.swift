// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import Glibc
import SystemPackage
import TestSupport
import Testing

extension Processes {
  /// What a session can do after it has given up its rights, tried by a program that enters the sandbox
  /// through the same function.
  @Suite(.timeLimit(.minutes(1))) struct SandboxTests {
    /// What became of one try.
    enum Outcome: Equatable {
      /// Ended by the kernel with SIGSYS, before anything was printed.
      case killed
      /// The call came back: a result, or a negative errno.
      case answered(Int)
      case other(Int32, [String])
    }

    static func probe(_ words: [String]) async throws -> Program {
      try await Program(Machine.programs.appending("sandbox-probe"), words)
    }

    static func outcome(_ words: [String]) async throws -> Outcome {
      let program = try await probe(words)
      let status = try await program.ended()
      if status == 128 + SIGSYS, program.data.isEmpty { return .killed }
      if status == 0, let line = program.data.first, line.hasPrefix("answered "),
        let result = Int(line.dropFirst("answered ".count))
      {
        return .answered(result)
      }
      return .other(status, program.data + program.talk)
    }

    static let forbidden: [String] = {
      var names = [
        "openat", "openat2", "faccessat", "chdir", "mkdirat", "memfd_create", "mount", "chroot",
        "io_uring_setup", "socket", "socketpair", "bind", "listen", "accept4", "setsockopt-filter",
        "clone-process", "execve", "execveat", "kill", "tgkill", "ptrace", "pidfd_open",
        "process_vm_readv", "unshare", "setuid", "prlimit", "prctl-dumpable", "bpf", "keyctl",
        "mmap-code", "mprotect-code", "ioctl-terminal", "ioctl-driver", "ioctl-port",
        "fcntl-owner", "fcntl-lock",
      ]
      #if arch(x86_64)
        names += ["open", "creat", "stat", "unlink", "fork"]
      #endif
      return names
    }()

    @Test(arguments: forbidden) func theKernelStopsASessionThatTries(_ name: String) async throws {
      for profile in ["export", "dial"] {
        #expect(try await Self.outcome([profile, "try", name]) == .killed, "\(profile)")
      }
    }

    @Test func eachProfileHasItsOwnCalls() async throws {
      #expect(try await Self.outcome(["export", "try", "connect"]) == .killed)
      #expect(
        try await Self.outcome(["dial", "try", "connect"])
          == .answered(-Int(Errno.connectionRefused.rawValue)))
      for name in ["ioctl-submit", "ioctl-reset"] {
        // The descriptor is no device: the driver of /dev/null answers, not the filter.
        #expect(
          try await Self.outcome(["export", "try", name])
            == .answered(-Int(Errno.inappropriateIOCTLForDevice.rawValue)))
        #expect(try await Self.outcome(["dial", "try", name]) == .killed)
      }
    }

    @Test(arguments: ["export", "dial"]) func whatLibrariesTryIsRefused(
      profile: String
    ) async throws {
      #expect(
        try await Self.outcome([profile, "try", "clone3"])
          == .answered(-Int(Errno.noFunction.rawValue)))
      let link = try await Self.outcome([profile, "try", "readlinkat"])
      #expect(
        link
          == (profile == "export" ? .answered(-Int(Errno.noSuchFileOrDirectory.rawValue)) : .killed)
      )
      #expect(try await Self.outcome([profile, "try", "setsockopt-keepalive"]) == .answered(0))
      let unknown = try await Self.probe([profile, "try", "nothing-of-that-name"])
      #expect(try await unknown.ended() == 0)
      #expect(unknown.data == ["unknown"])
    }

    @Test(arguments: ["export", "dial"]) func workGoesOn(profile: String) async throws {
      let program = try await Self.probe([profile, "work"])
      #expect(try await program.ended() == 0)
      // 64 MiB is what the session's own limit of outstanding bytes is; a dialling one needs little.
      let pieces = profile == "export" ? 4 : 3
      #expect(
        program.data == [
          "thread 0", "events 1", "memory \(pieces)", "too much memory 0",
          "descriptors \(profile == "export" ? 23 : 15)",
        ])
    }

    @Test(.enabled(if: Machine.isRoot, "only root can become somebody else"))
    func rootIsGivenUp() async throws {
      let tree = try SysfsTree()
      try tree.makeDirectory("empty")
      let root = tree.root.appending("empty")
      let user = "\(OtherUser.number)"
      let program = try await Self.probe([
        "export", "--user", user, user, "--root", root.string, "wait",
      ])
      try await program.line("ready")
      let status = try ProcessStatus(program.pid)
      let four = [String](repeating: user, count: 4)
      #expect(status["Uid"] == four)
      #expect(status["Gid"] == four)
      #expect(status["Groups"] == [])
      for name in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
        #expect(status[name] == ["0000000000000000"], "\(name)")
      }
      #expect(status["NoNewPrivs"] == ["1"])
      #expect(status["Seccomp"] == ["2"])
      #expect(ProcessStatus.link("/proc/\(program.pid)/root") == root.string)
      #expect(ProcessStatus.link("/proc/\(program.pid)/cwd") == root.string)
      program.signal(SIGKILL)
      #expect(try await program.ended() == 128 + SIGKILL)
    }

    @Test func whatCannotBeGivenUpEndsTheProcess() async throws {
      let missing = try await Self.probe(["export", "--root", "/nonexistent", "wait"])
      #expect(try await missing.ended() == 1)
      #expect(missing.data.first?.hasPrefix("cannot enter: ") == true)
    }

    /// The real session of a real agent, with a peer that says nothing.
    @Test func aSessionOfTheAgentIsConfined() async throws {
      let machine = try Machine()
      let agent = try await machine.startAgent()
      let peer = try TCPClient.connect(machine.port)
      // It holds the connection once it has read its assignment, which it does in the sandbox.
      try await LifeTests.wait(machine) {
        LifeTests.children(of: agent.pid).contains { (try? ProcessStatus($0))?["Seccomp"] == ["2"] }
      }
      let session = try #require(LifeTests.children(of: agent.pid).first)
      let status = try ProcessStatus(session)
      #expect(status["NoNewPrivs"] == ["1"])
      #expect(status["CapEff"] == ["0000000000000000"])
      if Machine.isRoot {
        #expect(status["CapBnd"] == ["0000000000000000"])
        #expect(
          ProcessStatus.link("/proc/\(session)/root") == machine.tree.run.appending("empty").string)
      }
      #expect(agent.talk.filter { $0.contains("sessions keep the agent's user") }.count <= 1)
      // Not dumpable: its descriptors are for root to see, even where it has the same user.
      #expect(
        ProcessStatus.link("/proc/\(session)/fd/1") == (Machine.isRoot ? "/dev/null" : nil))
      // The filter does not keep it from its work: a device list, asked for and answered.
      let reply = try await TCPClient.exchange(
        [0x01, 0x11, 0x80, 0x05, 0, 0, 0, 0], with: machine.port)
      #expect(reply.starts(with: [0x01, 0x11, 0x00, 0x05, 0, 0, 0, 0]))
      withExtendedLifetime(peer) {}
    }

    /// Started by anybody but the agent it does nothing.
    @Test func aSessionWithoutArgumentsEnds() async throws {
      for words in [[], ["export", "f", "--user", "0"], ["listen", "f"], ["export", "--root"]] {
        let program = try await Program(Machine.programs.appending("devconfig-session"), words)
        #expect(try await program.ended() == 64, "\(words)")
        #expect(program.talk == ["<3>devconfigd starts this program, nobody else"])
      }
    }

    @Test func aSessionWithoutAFilterEnds() async throws {
      let tree = try SysfsTree()
      try tree.write("", to: "empty")
      try tree.write("123456789", to: "odd")
      try tree.write("12345678", to: "wrong")
      for name in ["missing", "empty", "odd", "wrong"] {
        let filter = tree.root.appending(name).string
        let program = try await Program(
          Machine.programs.appending("devconfig-session"), ["export", filter])
        #expect(try await program.ended() == 1, "\(name)")
        #expect(program.talk.first?.contains("session cannot enter its sandbox") == true)
      }
    }
  }
}
