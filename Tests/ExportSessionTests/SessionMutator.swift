// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import USBIPWire

/// Changes recorded sessions as noise, broken clients and attackers would.
struct SessionMutator {
  private(set) var generator: SeededGenerator

  /// The same `number` makes the same changes.
  init(number: UInt64) { generator = SeededGenerator(seed: number) }

  /// One recording after one to six changes: of whole messages, of fields, of bits, of the end.
  mutating func mutated(_ recordings: [SessionRecording]) -> [UInt8] {
    var messages = generator.one(of: recordings).messages
    let changes = generator.one(of: [1, 1, 1, 2, 2, 3, 4, 6])
    for _ in 0..<changes where !messages.isEmpty {
      switch Int.random(in: 0..<16, using: &generator) {
      case 0: messages.insert(generator.one(of: messages), at: place(in: messages))
      case 1: messages.remove(at: generator.one(of: messages.indices))
      case 2:
        messages.swapAt(generator.one(of: messages.indices), generator.one(of: messages.indices))
      case 3: splice(&messages, with: generator.one(of: recordings).messages)
      case 4: messages.insert(noise(), at: place(in: messages))
      case 5, 6: change(&messages) { $0.flipBits(&$1) }
      case 7: change(&messages) { $0.changeLength(&$1) }
      default: change(&messages) { $0.changeField(&$1, of: $2) }
      }
    }
    var bytes = messages.flatMap(\.self)
    if generator.once(in: 5) {
      bytes.removeLast(Int.random(in: 0...bytes.count, using: &generator))
    }
    return bytes
  }

  private mutating func place(in messages: [[UInt8]]) -> Int {
    Int.random(in: 0...messages.count, using: &generator)
  }

  /// The beginning of one session and the end of another.
  private mutating func splice(_ messages: inout [[UInt8]], with other: [[UInt8]]) {
    messages.removeLast(Int.random(in: 0..<messages.count, using: &generator))
    messages += other.suffix(Int.random(in: 0...other.count, using: &generator))
  }

  private mutating func noise() -> [UInt8] {
    (0..<Int.random(in: 1...96, using: &generator)).map { _ in
      UInt8.random(in: 0...255, using: &generator)
    }
  }

  private mutating func change(
    _ messages: inout [[UInt8]], _ change: (inout Self, inout [UInt8], [[UInt8]]) -> Void
  ) {
    let (index, all) = (generator.one(of: messages.indices), messages)
    change(&self, &messages[index], all)
  }

  private mutating func change(
    _ messages: inout [[UInt8]], _ change: (inout Self, inout [UInt8]) -> Void
  ) {
    let index = generator.one(of: messages.indices)
    change(&self, &messages[index])
  }

  private mutating func flipBits(_ message: inout [UInt8]) {
    guard !message.isEmpty else { return }
    for _ in 0..<Int.random(in: 1...4, using: &generator) {
      message[generator.one(of: message.indices)] ^= 1 << UInt8.random(in: 0...7, using: &generator)
    }
  }

  /// Bytes too few or too many: what follows is read out of step.
  private mutating func changeLength(_ message: inout [UInt8]) {
    if Bool.random(using: &generator) {
      message.removeLast(Int.random(in: 0...message.count, using: &generator))
    } else {
      message += noise()
    }
  }

  /// A word of the header or of a packet descriptor, or the setup packet, gets a value that matters.
  private mutating func changeField(_ message: inout [UInt8], of messages: [[UInt8]]) {
    guard message.count >= URBCommand.headerLength else { return flipBits(&message) }
    let setup = 40
    if generator.once(in: 4) {
      let bytes = generator.one(of: SessionMutator.setups)
      message.replaceSubrange(setup..<setup + 8, with: bytes)
      return
    }
    var offset = 4 * Int.random(in: 0..<12, using: &generator)
    if message.count >= URBCommand.headerLength + 16, generator.once(in: 3) {
      // Behind the data, which the descriptors follow word by word.
      offset = message.count - 4 * Int.random(in: 1...4, using: &generator)
    }
    let new = value(for: offset, instead: word(message, offset), messages)
    for index in 0..<4 {
      message[offset + index] = UInt8(truncatingIfNeeded: new >> UInt32(24 - 8 * index))
    }
  }

  private mutating func value(
    for offset: Int, instead old: UInt32, _ messages: [[UInt8]]
  ) -> UInt32 {
    switch Int.random(in: 0..<8, using: &generator) {
    case 0, 1: return old &+ generator.one(of: [1, 2, 16, UInt32.max, UInt32.max - 1])
    case 2:
      // The number of another command: a duplicate, or an unlink of something else.
      let other = generator.one(of: messages)
      return other.count >= 8 ? word(other, 4) : old
    case 3, 4:
      // Mostly what fits the field: commands, directions, endpoints, lengths and counts.
      return switch offset {
      case 0: UInt32.random(in: 0...5, using: &generator)
      case 12: UInt32.random(in: 0...2, using: &generator)
      case 16: UInt32.random(in: 0...16, using: &generator)
      case 24: generator.one(of: [0, 1, 48, 65_535, 70_000, 16 << 20, 16 << 20 + 1])
      case 32: generator.one(of: [0, 1, 2, 128, 129, 1024, 1025, UInt32.max])
      default: UInt32.random(in: 0...64, using: &generator)
      }
    default:
      return generator.one(of: [
        0, 1, 2, 3, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 0x0111_8005,
      ])
    }
  }

  private func word(_ bytes: [UInt8], _ offset: Int) -> UInt32 {
    bytes[offset..<offset + 4].reduce(0) { $0 << 8 | UInt32($1) }
  }

  /// Requests that change the device, and some that are none.
  private static let setups: [[UInt8]] = [
    [0, 9, 0, 0, 0, 0, 0, 0], [0, 9, 1, 0, 0, 0, 0, 0], [0, 9, 2, 0, 0, 0, 0, 0],
    [0, 9, 1, 1, 0, 0, 0, 0], [1, 11, 0, 0, 0, 0, 0, 0], [1, 11, 1, 0, 0, 0, 0, 0],
    [1, 11, 9, 0, 1, 0, 0, 0], [2, 1, 0, 0, 0x81, 0, 0, 0], [2, 1, 0, 0, 0x82, 0, 0, 0],
    [2, 1, 0, 0, 0, 0, 0, 0], [2, 1, 0, 0, 0xFF, 0xFF, 0, 0], [0x23, 3, 4, 0, 1, 0, 0, 0],
    [0, 5, 9, 0, 0, 0, 0, 0], [0, 3, 2, 0, 0, 0, 0, 0], [0, 3, 48, 0, 0, 0, 0, 0],
    [0xC0, 1, 0, 0, 0, 0, 0xFF, 0xFF], [0x40, 1, 0, 0, 0, 0, 1, 0], [0x80, 6, 0, 1, 0, 0, 18, 0],
  ]
}
