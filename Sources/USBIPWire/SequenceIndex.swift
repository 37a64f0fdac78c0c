// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// From sequence number to slot: a hash table of fixed size with linear probing.
///
/// Allocates once. It is at most half full, so a probe ends; a peer that chooses colliding numbers
/// makes it walk over its own outstanding URBs and nobody else's.
struct SequenceIndex: ~Copyable {
  private var seqnums: [UInt32]
  /// The slot at each place, or -1.
  private var slots: [Int32]
  private let mask: Int

  /// Makes room for `capacity` numbers.
  init(capacity: Int) {
    var size = 2
    while size < capacity * 2 { size *= 2 }
    mask = size - 1
    seqnums = Array(repeating: 0, count: size)
    slots = Array(repeating: -1, count: size)
  }

  /// The slot of `seqnum`.
  func slot(of seqnum: UInt32) -> Int? {
    let place = place(of: seqnum)
    return slots[place] < 0 ? nil : Int(slots[place])
  }

  /// Enters a number that is not in the table.
  mutating func insert(_ seqnum: UInt32, slot: Int) {
    let place = place(of: seqnum)
    seqnums[place] = seqnum
    slots[place] = Int32(slot)
  }

  /// Takes a number out and closes the gap, so that no probe ends early.
  mutating func remove(_ seqnum: UInt32) {
    var gap = place(of: seqnum)
    guard slots[gap] >= 0 else { return }
    var place = gap
    while true {
      place = (place + 1) & mask
      guard slots[place] >= 0 else { break }
      let home = home(of: seqnums[place])
      // What lies between its home and the gap would not be found any more.
      if (place - home) & mask >= (place - gap) & mask {
        seqnums[gap] = seqnums[place]
        slots[gap] = slots[place]
        gap = place
      }
    }
    slots[gap] = -1
  }

  /// Where a probe for `seqnum` ends: at its place, or at a free one.
  private func place(of seqnum: UInt32) -> Int {
    var place = home(of: seqnum)
    while slots[place] >= 0, seqnums[place] != seqnum { place = (place + 1) & mask }
    return place
  }

  private func home(of seqnum: UInt32) -> Int {
    // Consecutive numbers spread by the golden ratio (Knuth, TAOCP 3, 6.4).
    Int(truncatingIfNeeded: (seqnum &* 0x9E37_79B1) >> 12) & mask
  }
}
