// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI
private import Glibc

/// Numbers for people: three digits and a unit; no number traps.
enum Measures {
  /// `512 B`, `1.5 KiB`, `64.0 MiB`.
  static func bytes(_ count: Double) -> String {
    var value = count
    var unit = 0
    let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
    while value >= 1024, unit < units.count - 1 {
      value /= 1024
      unit += 1
    }
    return unit == 0 ? "\(whole(value)) B" : "\(tenths(value)) \(units[unit])"
  }

  /// A time in microseconds: `12 us`, `3.4 ms`, `12.3 s`, `5 min 10 s`, `2 h 5 min`, `3 d 4 h`.
  static func time(microseconds: UInt64) -> String {
    let value = Double(microseconds)
    let seconds = microseconds / 1_000_000
    switch seconds {
    case 0 where microseconds < 1000: return "\(microseconds) us"
    case 0: return "\(tenths(value / 1000)) ms"
    case ..<120: return "\(tenths(value / 1_000_000)) s"
    case ..<7200: return "\(seconds / 60) min \(seconds % 60) s"
    case ..<172_800: return "\(seconds / 3600) h \(seconds / 60 % 60) min"
    default: return "\(seconds / 86_400) d \(seconds / 3600 % 24) h"
    }
  }

  /// The end of the class in which the `share` quickest transfers lie: `<256 us`; `-` without any.
  static func latency(_ share: Double, _ counts: [UInt64]) -> String {
    guard let index = LatencyHistogram.index(share: share, of: counts) else { return "-" }
    guard let end = LatencyHistogram.end(of: index) else {
      return ">" + time(microseconds: LatencyHistogram.end(of: index - 1) ?? 0)
    }
    return "<" + time(microseconds: end)
  }

  /// A moment, in seconds since 1970, in the time zone of the caller: `2026-11-24 06:12:01`.
  static func moment(_ seconds: Int) -> String {
    var moment = time_t(seconds)
    var parts = tm()
    localtime_r(&moment, &parts)
    func two(_ number: Int32) -> String { (number < 10 ? "0" : "") + "\(number)" }
    return "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday)) "
      + "\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))"
  }

  private static func tenths(_ value: Double) -> String {
    let tenths = UInt64(min(max(value * 10, 0), 1e15).rounded())
    return "\(tenths / 10).\(tenths % 10)"
  }

  private static func whole(_ value: Double) -> UInt64 {
    UInt64(min(max(value, 0), 1e15).rounded())
  }
}
