// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import LinuxHost

/// Bytes received and not yet understood; one piece of memory, made once.
///
/// It is filled only after all whole commands in it were taken out, so what is left is less than a
/// header and moving it to the front is cheaper than a ring's wrapped reads.
struct ReceiveBuffer: ~Copyable {
  /// Bytes it holds, where nothing more was pipelined.
  static let usualCapacity = 256 * 1024

  private let memory: UnsafeMutableRawPointer
  private let capacity: Int
  private var start = 0
  private var end = 0
  /// Bytes one call takes at most besides a payload's.
  private var limit: Int

  /// Bytes one call takes while long payloads come: enough for the headers in between.
  private static let smallLimit = 2048

  /// Starts with `pipelined`, the bytes that came behind the operation phase.
  init(pipelined: [UInt8]) {
    capacity = max(ReceiveBuffer.usualCapacity, 2 * pipelined.count)
    limit = capacity
    memory = .allocate(byteCount: capacity, alignment: 64)
    pipelined.withUnsafeBytes { bytes in
      if let base = bytes.baseAddress { memory.copyMemory(from: base, byteCount: bytes.count) }
    }
    end = pipelined.count
  }

  deinit {
    memory.deallocate()
  }

  /// Notes whether the payload of the command that was taken last is worth a call of its own instead
  /// of a copy.
  ///
  /// While such come, little is received here at once, so that they go to their places without a copy.
  mutating func expect(longPayloads: Bool) {
    limit = longPayloads ? ReceiveBuffer.smallLimit : capacity
  }

  /// Bytes waiting.
  var count: Int { end - start }

  /// The first `length` bytes waiting; there are as many, and they stay until the next change.
  func front(_ length: Int) -> UnsafeRawBufferPointer {
    precondition(length <= count, "the caller asks for the count first")
    return UnsafeRawBufferPointer(start: memory + start, count: length)
  }

  /// Drops the first `length` bytes.
  mutating func skip(_ length: Int) {
    precondition(length <= count, "the caller asks for the count first")
    start += length
    if start == end {
      start = 0
      end = 0
    }
  }

  /// True where the last receive left no room: there may be more to receive.
  private(set) var mayHaveMore = false

  /// Receives what is there: bytes, 0 at the end of the stream, or a negative errno.
  mutating func receive(from socket: borrowing StreamSocket) -> Int {
    compact()
    let room = min(capacity - end, limit)
    let result = socket.receive(into: memory + end, count: room)
    mayHaveMore = result == room
    if result > 0 { end += result }
    return result
  }

  /// Receives `length` bytes to `target` first and whatever follows into this buffer.
  ///
  /// The result is as in `receive(from:)`; how much of it went to `target` is in `placed`.
  mutating func receive(
    from socket: borrowing StreamSocket, first target: UnsafeMutableRawPointer, length: Int,
    placed: inout Int
  ) -> Int {
    compact()
    let room = min(capacity - end, limit)
    let result = socket.receive(into: target, count: length, then: memory + end, count: room)
    mayHaveMore = result == length + room
    placed = max(min(result, length), 0)
    if result > length { end += result - length }
    return result
  }

  private mutating func compact() {
    guard start > 0 else { return }
    // SAFETY: both ranges lie in `memory`; copyMemory allows them to overlap.
    memory.copyMemory(from: memory + start, byteCount: count)
    end -= start
    start = 0
  }
}
