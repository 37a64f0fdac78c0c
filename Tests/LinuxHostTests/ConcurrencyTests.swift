// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import Glibc
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import LinuxHost

@Suite(.timeLimit(.minutes(1))) struct ConcurrencyTests {
  private final class Flow: Sendable {
    let calls = Mutex<[Bool]>([])
    var seen: [Bool] { calls.withLock { $0 } }
    func set(_ flowing: Bool) { calls.withLock { $0.append(flowing) } }
  }

  @Test func `an inbox stops its producer at the limit, once, and lets it go on below`() async {
    let flow = Flow()
    let inbox = Inbox<Int>(limit: 10, setFlowing: flow.set)
    #expect(inbox.offer(1, cost: 6))
    #expect(!inbox.offer(2, cost: 6))
    #expect(!inbox.offer(3, cost: 6))
    #expect(flow.seen == [false])
    #expect(await inbox.next() == 1)
    #expect(flow.seen == [false])
    #expect(await inbox.next() == 2)
    #expect(flow.seen == [false, true])
    inbox.finish()
    #expect(await inbox.next() == 3)
    #expect(await inbox.next() == nil)
    #expect(flow.seen == [false, true])
  }

  @Test func `after the end a full inbox does not start its producer again`() async {
    let flow = Flow()
    let inbox = Inbox<Int>(limit: 1, setFlowing: flow.set)
    #expect(!inbox.offer(1))
    inbox.finish()
    _ = inbox.offer(2)
    #expect(await inbox.next() == 1)
    #expect(await inbox.next() == nil)
    #expect(flow.seen == [false])
  }

  @Test func `a thousand elements keep their order`() async {
    let inbox = Inbox<Int>(limit: 1 << 20, setFlowing: { _ in })
    let consumer = Task {
      var seen: [Int] = []
      while let next = await inbox.next() { seen.append(next) }
      return seen
    }
    for number in 0..<1000 { _ = inbox.offer(number) }
    inbox.finish()
    #expect(await consumer.value == Array(0..<1000))
  }

  @Test func `blocking work returns and throws what it does, side by side`() async throws {
    let sum = await withTaskGroup(of: Int.self) { group in
      for number in 0..<30 {
        group.addTask { await BlockingWork.run("test") { number } }
      }
      var sum = 0
      for await number in group { sum += number }
      return sum
    }
    #expect(sum == 435)
    await #expect(throws: HostError("open", "/nonexistent", .noSuchFileOrDirectory)) {
      try await BlockingWork.run("test") { () throws(HostError) in
        _ = try openFile("/nonexistent", O_RDONLY).release()
      }
    }
  }

  @Test func `stuck work does not hold up other work`() async {
    var ends: [Int32] = [0, 0]
    #expect(pipe(&ends) == 0)
    // No process that another test starts may keep it open.
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    let (read, write) = (ends[0], ends[1])
    let stuck = (0..<8).map { _ in
      Task {
        await BlockingWork.run("test") {
          var byte: UInt8 = 0
          return Glibc.read(read, &byte, 1)
        }
      }
    }
    #expect(await BlockingWork.run("test") { 5 } == 5)
    close(write)
    for task in stuck { #expect(await task.value == 0) }
    close(read)
  }

  @Test func `a deadline counts down to nothing`() {
    #expect(Deadline(milliseconds: nil).remaining == -1)
    #expect(Deadline(milliseconds: 0).remaining == 0)
    #expect(Deadline(milliseconds: -5).remaining == 0)
    #expect((59_000...60_000).contains(Deadline(milliseconds: 60_000).remaining))
    #expect(Deadline(milliseconds: 1 << 50).remaining == Int32.max)
  }

  @Test func `a fake table never changes, stopping ends the stream`() async throws {
    let tree = try SysfsTree()
    try tree.addMount(number: "8:1", path: "/", source: "/dev/sda1")
    let changes = try HostChanges(procfs: tree.proc)
    let consumer = Task {
      var count = 0
      for await _ in changes.changes { count += 1 }
      return count
    }
    changes.stop()
    changes.stop()
    #expect(await consumer.value == 0)
  }

  @Test(.enabled(if: geteuid() == 0, "mounting needs root"))
  func `a mount and its end are both noticed`() async throws {
    let directory = try SysfsTree.temporaryDirectory()
    defer { SysfsTree.removeAll(directory) }
    let changes = try HostChanges(procfs: "/proc")
    var iterator = changes.changes.makeAsyncIterator()
    try #require(mount("none", directory.string, "tmpfs", 0, "size=4k") == 0)
    #expect(await iterator.next() != nil)
    #expect(umount2(directory.string, Int32(MNT_DETACH)) == 0)
    #expect(await iterator.next() != nil)
    changes.stop()
  }
}
