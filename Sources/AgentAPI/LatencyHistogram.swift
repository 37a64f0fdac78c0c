// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// How long transfers took, counted in classes that double: class 0 is less than 1 µs, class n is
/// 2^(n-1) µs to less than 2^n µs, and the last class has no end.
public enum LatencyHistogram {
  /// Classes; the last one begins at 2^24 µs, 16.8 s.
  public static let classes = 26

  /// The class of a time in microseconds.
  @inline(__always)
  public static func index(microseconds: UInt64) -> Int {
    min(UInt64.bitWidth - microseconds.leadingZeroBitCount, classes - 1)
  }

  /// Where a class ends, in microseconds; `nil` for the last one.
  public static func end(of index: Int) -> UInt64? {
    index >= 0 && index < classes - 1 ? 1 << UInt64(index) : nil
  }

  /// The class in which the `share` (0...1) quickest of all transfers end; `nil` where there is none.
  public static func index(share: Double, of counts: [UInt64]) -> Int? {
    let total = counts.reduce(0) { $0 + Double($1) }
    guard total > 0 else { return nil }
    var seen = 0.0
    for (index, count) in counts.enumerated() where count > 0 {
      seen += Double(count)
      if seen >= share * total { return index }
    }
    return counts.lastIndex { $0 > 0 }
  }
}
