// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// Unlinks of URBs that are being unlinked already: a pool of fixed size, chained by URB.
struct RepeatedUnlinks: ~Copyable {
  /// The unlinks of one URB, first to last.
  struct Chain {
    fileprivate var first: Int32 = -1
    fileprivate var last: Int32 = -1
  }

  private struct Node {
    var seqnum: UInt32
    var next: Int32
  }

  private var nodes: [Node]
  private var free: Int32
  private var ready = Chain()

  /// Allocates `capacity` places.
  init(capacity: Int) {
    nodes = (0..<capacity).map { Node(seqnum: 0, next: $0 + 1 < capacity ? Int32($0 + 1) : -1) }
    free = capacity > 0 ? 0 : -1
  }

  /// True when no more can be appended.
  var isFull: Bool { free < 0 }

  /// Appends an unlink to the chain of its URB; there must be room.
  mutating func append(_ seqnum: UInt32, to chain: inout Chain) {
    let node = free
    free = nodes[Int(node)].next
    nodes[Int(node)] = Node(seqnum: seqnum, next: -1)
    join(Chain(first: node, last: node), to: &chain)
  }

  /// Makes the unlinks of a completed URB ready to be taken; false when there are none.
  mutating func release(_ chain: Chain) -> Bool {
    guard chain.first >= 0 else { return false }
    var joined = ready
    join(chain, to: &joined)
    ready = joined
    return true
  }

  /// The next ready one.
  mutating func take() -> UInt32? {
    guard ready.first >= 0 else { return nil }
    let node = Int(ready.first)
    ready.first = nodes[node].next
    if ready.first < 0 { ready.last = -1 }
    nodes[node].next = free
    free = Int32(node)
    return nodes[node].seqnum
  }

  private mutating func join(_ tail: Chain, to chain: inout Chain) {
    if chain.last >= 0 {
      nodes[Int(chain.last)].next = tail.first
    } else {
      chain.first = tail.first
    }
    chain.last = tail.last
  }
}
