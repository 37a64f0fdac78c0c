// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import Testing

@testable import USBIPWire

@Suite struct SequenceIndexTests {
  /// Numbers whose probes begin at the same place of any table of up to 1024 places.
  private func colliding(_ count: Int) -> [UInt32] {
    var found: [UInt32] = []
    var number: UInt32 = 0
    while found.count < count {
      // What the index hashes with, and one of 1024 outcomes.
      if (number &* 0x9E37_79B1) >> 12 & 1023 == 1 { found.append(number) }
      number += 1
    }
    return found
  }

  @Test func findsCollidingNumbersAfterAnyRemoval() {
    let numbers = colliding(8)
    for removed in numbers {
      var index = SequenceIndex(capacity: 8)
      for (slot, number) in numbers.enumerated() { index.insert(number, slot: slot) }
      index.remove(removed)
      for (slot, number) in numbers.enumerated() {
        #expect(index.slot(of: number) == (number == removed ? nil : slot))
      }
    }
  }

  @Test(arguments: [1, 2, 7, 64, 512]) func agreesWithADictionary(capacity: Int) {
    var generator = SeededGenerator(seed: UInt64(capacity))
    let crowd = colliding(capacity * 2)
    var index = SequenceIndex(capacity: capacity)
    var model: [UInt32: Int] = [:]
    for step in 0..<20_000 {
      let number =
        crowd[Int.random(in: crowd.indices, using: &generator)]
        &+ (generator.once(in: 3) ? UInt32.random(in: 0...3, using: &generator) : 0)
      if model[number] != nil {
        index.remove(number)
        model[number] = nil
      } else if model.count < capacity {
        index.insert(number, slot: step)
        model[number] = step
      } else {
        index.remove(number)
      }
      guard step.isMultiple(of: 97) else { continue }
      for (number, slot) in model { #expect(index.slot(of: number) == slot) }
      for number in crowd where model[number] == nil { #expect(index.slot(of: number) == nil) }
    }
  }
}
