// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import LinuxHost

/// Replies in the order they leave; bounded, made once, sent with as few calls as possible.
struct TransmitQueue: ~Copyable {
  /// Replies it holds: every slot may need two (RET_SUBMIT and RET_UNLINK), and as many again for
  /// commands that are answered without a slot.
  let capacity: Int
  /// Replies waiting.
  private(set) var count = 0

  private struct Entry {
    var memory: UnsafeMutableRawPointer
    var length: Int
    var slot: Int32
  }

  /// How far one call to `send` came.
  enum Progress: Equatable {
    /// Everything is sent.
    case drained
    /// The socket takes no more for now; bytes it took.
    case blocked(sent: Int)
    /// The connection is broken; errno.
    case failed(Int32)
  }

  private static let bytesPerCall = 1024 * 1024
  private let entries: UnsafeMutablePointer<Entry>
  private let headers: UnsafeMutableRawPointer
  private var first = 0
  private var sentOfFirst = 0
  private var finished = 0
  private var pieces = GatherList()

  /// Makes room for `capacity` replies.
  init(capacity: Int) {
    self.capacity = capacity
    entries = .allocate(capacity: capacity)
    headers = .allocate(byteCount: capacity * BufferPool.headerLength, alignment: 64)
    entries.initialize(
      repeating: Entry(memory: headers, length: 0, slot: -1), count: capacity)
  }

  deinit {
    entries.deallocate()
    headers.deallocate()
  }

  /// Replies that still fit.
  var room: Int { capacity - count }

  /// Adds a reply that lies in the memory of `slot`, which comes back from `nextSent()`.
  mutating func append(_ memory: UnsafeMutableRawPointer, length: Int, slot: Int) {
    append(Entry(memory: memory, length: length, slot: Int32(slot)))
  }

  /// Adds a reply of one header without a slot; the result is where to write its 48 bytes.
  mutating func appendHeader() -> UnsafeMutableRawBufferPointer {
    let memory = headers + position(count) * BufferPool.headerLength
    append(Entry(memory: memory, length: BufferPool.headerLength, slot: -1))
    return UnsafeMutableRawBufferPointer(start: memory, count: BufferPool.headerLength)
  }

  /// Sends until the queue is empty or the socket takes no more.
  ///
  /// `release` is called for each slot whose reply is with the kernel now.
  mutating func send(to socket: borrowing StreamSocket, pool: inout SlotPool) -> Progress {
    var total = 0
    while count > 0 {
      pieces.removeAll()
      var offered = 0
      var index = 0
      while index < count, !pieces.isFull, offered < TransmitQueue.bytesPerCall {
        let entry = entries[position(index)]
        let skipped = index == 0 ? sentOfFirst : 0
        pieces.append(entry.memory + skipped, length: entry.length - skipped)
        offered += entry.length - skipped
        index += 1
      }
      let result = socket.send(pieces)
      if result == StreamSocket.wouldBlock { return .blocked(sent: total) }
      guard result > 0 else { return .failed(Int32(truncatingIfNeeded: -result)) }
      total += result
      retire(result, &pool)
    }
    return .drained
  }

  private mutating func retire(_ sent: Int, _ pool: inout SlotPool) {
    sentOfFirst += sent
    while count > 0 {
      let entry = entries[first]
      guard sentOfFirst >= entry.length else { return }
      sentOfFirst -= entry.length
      if entry.slot >= 0 { pool.give(Int(entry.slot)) }
      first = position(1)
      count -= 1
    }
  }

  private mutating func append(_ entry: Entry) {
    precondition(count < capacity, "the session stops reading before its replies do not fit")
    entries[position(count)] = entry
    count += 1
  }

  private func position(_ offset: Int) -> Int {
    let sum = first + offset
    return sum >= capacity ? sum - capacity : sum
  }
}
