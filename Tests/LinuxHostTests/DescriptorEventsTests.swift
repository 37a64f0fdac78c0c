// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import Glibc
import Synchronization
import SystemPackage
import Testing

@testable import LinuxHost

@Suite(.timeLimit(.minutes(1))) struct DescriptorEventsTests {
  /// Both ends of a stream; the second one is the test's to close.
  private func pair() throws -> (SharedDescriptor, Int32) {
    var ends: [Int32] = [0, 0]
    let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
    try #require(socketpair(AF_UNIX, type, 0, &ends) == 0)
    return (SharedDescriptor(OwnedDescriptor(adopting: ends[0])), ends[1])
  }

  @Test func `a peer may hang up while its events are cancelled`() async throws {
    // Each round is a race of three threads; Dispatch's own sources crashed once in some ten thousand.
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<2 {
        group.addTask {
          for round in 0..<4_000 {
            let (descriptor, peer) = try pair()
            let events = try DescriptorEvents(descriptor, label: "test.race")
            events.setHandlers(onReadable: { [weak events] in
              if round % 3 == 0 { events?.cancel() }
            })
            events.setReading(true)
            events.setWriting(true)
            await withTaskGroup(of: Void.self) { both in
              both.addTask { _ = close(peer) }
              both.addTask { events.cancel() }
            }
          }
        }
      }
      try await group.waitForAll()
    }
  }

  @Test func `a handler is called until it has read everything`() async throws {
    let (descriptor, peer) = try pair()
    defer { close(peer) }
    let events = try DescriptorEvents(descriptor, label: "test.rest")
    let (bytes, read) = AsyncStream.makeStream(of: UInt8.self)
    events.setHandlers(onReadable: {
      var byte: UInt8 = 0
      if Glibc.read(descriptor.rawValue, &byte, 1) == 1 { read.yield(byte) }
    })
    #expect(write(peer, [1, 2, 3] as [UInt8], 3) == 3)
    events.setReading(true)
    var seen: [UInt8] = []
    for await byte in bytes {
      seen.append(byte)
      if seen.count == 3 { break }
    }
    #expect(seen == [1, 2, 3])
    events.cancel()
  }

  @Test func `a hang-up that nobody wants to know of is told to who asks later`() async throws {
    let (descriptor, peer) = try pair()
    let events = try DescriptorEvents(descriptor, label: "test.later")
    let (ends, end) = AsyncStream.makeStream(of: Int.self)
    events.setHandlers(onReadable: { [weak events] in
      var byte: UInt8 = 0
      end.yield(read(descriptor.rawValue, &byte, 1))
      events?.setReading(false)
    })
    events.setReading(true)
    events.setReading(false)
    close(peer)
    // The event of the hang-up comes before the one of this second pair: both have one thread.
    let (other, otherPeer) = try pair()
    defer { close(otherPeer) }
    let later = try DescriptorEvents(other, label: "test.other")
    await withCheckedContinuation { continuation in
      later.setHandlers(onReadable: { [weak later] in
        later?.cancel()
        continuation.resume()
      })
      #expect(write(otherPeer, [1] as [UInt8], 1) == 1)
      later.setReading(true)
    }
    events.setReading(true)
    var iterator = ends.makeAsyncIterator()
    #expect(await iterator.next() == 0)
    events.cancel()
  }

  @Test func `what is writable and readable is told to both, and to nobody after the end`()
    async throws
  {
    let (descriptor, peer) = try pair()
    defer { close(peer) }
    let events = try DescriptorEvents(descriptor, label: "test.both")
    let (calls, call) = AsyncStream.makeStream(of: String.self)
    events.setHandlers(
      onReadable: { [weak events] in
        events?.setReading(false)
        call.yield("readable")
      },
      onWritable: { [weak events] in
        events?.setWriting(false)
        call.yield("writable")
      })
    #expect(write(peer, [1] as [UInt8], 1) == 1)
    events.setReading(true)
    events.setWriting(true)
    var iterator = calls.makeAsyncIterator()
    #expect(Set([await iterator.next(), await iterator.next()]) == ["readable", "writable"])
    events.cancel()
    events.setReading(true)
    #expect(events.withDescriptor { _ in true } == nil)
    call.finish()
    #expect(await iterator.next() == nil)
  }

  @Test func `who forgets its events without cancelling them leaves nothing behind`() async throws {
    let (descriptor, peer) = try pair()
    defer { close(peer) }
    var events: DescriptorEvents? = try DescriptorEvents(descriptor, label: "test.forgotten")
    events?.setReading(true)
    events = nil
    // The number is free in the set again.
    let again = try DescriptorEvents(descriptor, label: "test.again")
    await withCheckedContinuation { continuation in
      again.setHandlers(onReadable: { [weak again] in
        again?.cancel()
        continuation.resume()
      })
      again.setReading(true)
      #expect(write(peer, [1] as [UInt8], 1) == 1)
    }
  }
}
