// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// The ledger under the simulation of the unit tests, with the fuzzer throwing the dice.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzLedger(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  // SAFETY: libFuzzer passes `count` readable bytes that live as long as this call.
  let input = [UInt8](UnsafeBufferPointer(start: start, count: count))
  var simulation = LedgerSimulation(generator: InputGenerator(input))
  simulation.run(steps: count)
  // An optimised build prints the text of a fatal error, but not that of a precondition.
  if let violation = simulation.violations.first { fatalError(violation) }
  return 0
}

/// One byte of the input for each number, then a fixed sequence, so that a simulation can end.
struct InputGenerator: RandomNumberGenerator {
  private var bytes: ArraySlice<UInt8>
  private var sequence = SeededGenerator(seed: 1)

  init(_ bytes: [UInt8]) { self.bytes = bytes[...] }

  mutating func next() -> UInt64 {
    let number = sequence.next()
    guard let byte = bytes.popFirst() else { return number }
    // A random choice goes by the high bits.
    return UInt64(byte) << 56 | number >> 8
  }
}
