// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import Testing

@testable import ExportSession

@Suite("Memory for URBs")
struct BufferPoolTests {
  @Test("row 18: going through all sizes makes the pool keep no more than its limit")
  func everySize() {
    var pool = BufferPool()
    // As much of each size as may be outstanding at once, and at most a slot's number of each.
    for sizeClass in 0...15 {
      let payload = BufferPool.payload(of: sizeClass)
      let buffers = (0..<min(512, BufferPool.cacheLimit / payload)).map { _ in pool.take(sizeClass)
      }
      for buffer in buffers { pool.give(buffer, sizeClass) }
      #expect(pool.restingBytes <= BufferPool.cacheLimit)
    }
    #expect(pool.restingBytes > BufferPool.cacheLimit / 2, "or it keeps nothing at all")
  }

  @Test("what was given is taken again, with its size")
  func reuse() {
    var pool = BufferPool()
    let buffer = pool.take(3)
    pool.give(buffer, 3)
    #expect(pool.restingBytes == BufferPool.payload(of: 3))
    let again = pool.take(3)
    #expect(again == buffer)
    #expect(pool.restingBytes == 0)
    pool.give(buffer, 3)
  }

  @Test("few large buffers are kept")
  func large() {
    var pool = BufferPool()
    let sizeClass = BufferPool.sizeClass(for: 16 << 20)
    let buffers = (0..<3).map { _ in pool.take(sizeClass) }
    for buffer in buffers { pool.give(buffer, sizeClass) }
    #expect(pool.restingBytes == 16 << 20)
  }
}
