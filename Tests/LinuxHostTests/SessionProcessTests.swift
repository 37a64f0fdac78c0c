// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import Glibc
import LinuxHost
import SystemPackage
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1))) struct SessionProcessTests {
  private func start(
    _ executable: FilePath, _ arguments: [String] = [], environment: [String: String] = [:]
  ) throws -> (process: SessionProcess, channel: ControlChannel) {
    let pair = try ControlChannel.pair()
    let channel = pair.agent
    let process = try SessionProcess.start(
      executable: executable, control: pair.takeSession(), arguments: arguments,
      environment: environment)
    return (process, channel)
  }

  /// Runs a shell script whose descriptor 3 is the control socket, and joins what it says there.
  private func output(
    _ script: String, environment: [String: String] = [:]
  ) async throws -> (text: String, end: SessionProcess.End?) {
    let (process, channel) = try start("/bin/sh", ["-c", script], environment: environment)
    var text: [UInt8] = []
    for await message in channel.incoming { text += message.bytes }
    return (String(decoding: text, as: UTF8.self), await process.ended())
  }

  @Test func `how a process ended`() async throws {
    #expect(try await start("/bin/true").process.ended() == .exited(0))
    #expect(try await start("/bin/false").process.ended() == .exited(1))
    #expect(try await start("/bin/sh", ["-c", "exit 77"]).process.ended() == .exited(77))
    #expect(
      try await start("/bin/sh", ["-c", "kill -SEGV $$"]).process.ended() == .signalled(SIGSEGV))
  }

  @Test func `terminating and killing, also after the end`() async throws {
    let (first, _) = try start("/bin/sleep", ["600"])
    #expect(first.pid > 1)
    first.terminate()
    #expect(await first.ended() == .signalled(SIGTERM))
    first.terminate()
    first.kill()
    let (second, _) = try start("/bin/sleep", ["600"])
    second.kill()
    #expect(await second.ended() == .signalled(SIGKILL))
  }

  @Test func `everybody who waits is told, also later`() async throws {
    let (process, _) = try start("/bin/sleep", ["600"])
    let ends = await withTaskGroup(of: SessionProcess.End?.self) { group in
      for _ in 0..<20 { group.addTask { await process.ended() } }
      group.addTask {
        process.terminate()
        return await process.ended()
      }
      var ends: [SessionProcess.End?] = []
      for await end in group { ends.append(end) }
      return ends
    }
    #expect(ends == [SessionProcess.End?](repeating: .signalled(SIGTERM), count: 21))
    #expect(await process.ended() == .signalled(SIGTERM))
  }

  @Test func `a cancelled wait ends, the process lives on`() async throws {
    let (process, _) = try start("/bin/sleep", ["600"])
    let waiting = Task { await process.ended() }
    waiting.cancel()
    #expect(await waiting.value == nil)
    #expect(kill(process.pid, 0) == 0)
    process.kill()
    #expect(await process.ended() == .signalled(SIGKILL))
  }

  @Test func `a process is reaped exactly once, even when nobody waits`() async throws {
    let pid: Int32
    do {
      let (process, _) = try start("/bin/true")
      pid = process.pid
    }
    // A zombie still takes signals; ESRCH comes only after it has been reaped.
    #expect(await OpenDescriptors.eventually { kill(pid, 0) == -1 && errno == ESRCH })
    #expect(waitpid(pid, nil, WNOHANG) == -1)
  }

  @Test func `the process has four descriptors and nothing else`() async throws {
    let (text, end) = try await output(
      "cd /proc/$$/fd; set -- *; echo $* >&3; readlink /proc/$$/fd/0 >&3")
    #expect(end == .exited(0))
    // 4 is the directory that the shell reads: nothing else has that number, or a higher one.
    #expect(text == "0 1 2 3 4\n/dev/null\n")
  }

  @Test func `the environment is what was given, signals are at their defaults`() async throws {
    let (text, _) = try await output(
      "/usr/bin/env >&3; grep -E '^Sig(Blk|Ign)' /proc/self/status >&3",
      environment: ["A": "1", "NOTIFY_SOCKET": "x y"])
    let lines = Set(text.split(separator: "\n").map(String.init))
    // The shell has variables of its own.
    let names = Set(lines.filter { $0.contains("=") }.map { $0.prefix { $0 != "=" } })
    #expect(names.subtracting(["PWD", "OLDPWD", "_", "SHLVL", "PATH"]) == ["A", "NOTIFY_SOCKET"])
    #expect(lines.isSuperset(of: ["A=1", "NOTIFY_SOCKET=x y"]))
    #expect(lines.contains("SigBlk:\t0000000000000000"))
    let ignored = lines.first { $0.hasPrefix("SigIgn:\t") }.flatMap {
      UInt64($0.dropFirst("SigIgn:\t".count), radix: 16)
    }
    // The C library keeps 32 and 33 for itself and sets them so in every program it starts.
    #expect(ignored.map { $0 & ~0x1_8000_0000 } == 0)
  }

  @Test func `a program that cannot be started is an error, and leaves nothing behind`()
    async throws
  {
    let pair = try ControlChannel.pair()
    let channel = pair.agent
    do throws(HostError) {
      _ = try SessionProcess.start(executable: "/nonexistent/session", control: pair.takeSession())
      Issue.record("a program that does not exist was started")
    } catch {
      #expect(error == HostError("start", "/nonexistent/session", .noSuchFileOrDirectory))
    }
    // The other end is closed, once programs that other tests start have let go of it.
    #expect(await OpenDescriptors.eventually { (try? channel.send([1])) == nil })
    #expect(throws: HostError("start", "/etc/passwd", .permissionDenied)) {
      _ = try start("/etc/passwd")
    }
  }

  @Test func `a process found again is watched, its end is unknown`() async throws {
    let (process, _) = try start("/bin/sleep", ["600"])
    let found = try SessionProcess.adopt(pid: process.pid)
    found.terminate()
    // As its parent this process may still learn the end through either of the two.
    let ends = [await process.ended(), await found.ended()]
    #expect(ends.contains(.signalled(SIGTERM)))
    #expect(throws: HostError("watch process", "\(process.pid)", .noSuchProcess)) {
      _ = try SessionProcess.adopt(pid: process.pid)
    }
  }

  @Test func `a child that is not ours has an unknown end`() async throws {
    let (shell, channel) = try start("/bin/sh", ["-c", "sleep 600 & echo $! >&3; wait"])
    var incoming = channel.incoming.makeAsyncIterator()
    let text = String(decoding: try #require(await incoming.next()).bytes, as: UTF8.self)
    let pid = try #require(Int32(text.dropLast()))
    let grandchild = try SessionProcess.adopt(pid: pid)
    grandchild.kill()
    #expect(await grandchild.ended() == .unknown)
    #expect(await shell.ended() != nil)
  }
}
