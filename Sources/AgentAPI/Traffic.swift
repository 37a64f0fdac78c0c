// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// The counters of a session, summed up; no sum traps, whatever the session says.
public struct Traffic: Sendable, Hashable, Codable {
  /// Microseconds since the session began.
  public var elapsed: UInt64
  /// URBs that ended.
  public var urbs: UInt64
  /// Bytes from the device.
  public var bytesIn: UInt64
  /// Bytes to the device.
  public var bytesOut: UInt64
  /// URBs that failed, the stalls among them.
  public var errors: UInt64
  /// URBs that ended with a stall.
  public var stalls: UInt64
  /// URBs the device has now.
  public var outstanding: UInt64
  /// URBs answered without the device.
  public var refused: UInt64
  /// URBs the importer took back.
  public var unlinks: UInt64
  /// Endpoints at which a URB is overdue.
  public var overdueEndpoints: Int
  /// Each endpoint; empty where many devices are shown at once.
  public var endpoints: [EndpointCounters]
  /// The capture that runs; `nil` where none does.
  public var capture: SessionStatistics.Capture?

  /// Sums up what a session says; the endpoints in the order of their numbers, OUT before IN.
  public init(_ statistics: SessionStatistics) {
    let all = statistics.endpoints.sorted {
      ($0.address & 0x0F, $0.address) < ($1.address & 0x0F, $1.address)
    }
    func sum(_ counters: [EndpointCounters], _ value: (EndpointCounters) -> UInt64) -> UInt64 {
      counters.reduce(0) { $0.adding(value($1)) }
    }
    elapsed = statistics.elapsed
    urbs = sum(all, \.completed)
    bytesIn = sum(all.filter(\.isIn), \.bytes)
    bytesOut = sum(all.filter { !$0.isIn }, \.bytes)
    errors = sum(all, \.errors)
    stalls = sum(all, \.stalls)
    outstanding = sum(all, \.outstanding)
    refused = statistics.refused
    unlinks = statistics.unlinks
    overdueEndpoints = all.count(where: \.isOverdue)
    endpoints = all
    capture = statistics.capture
  }

  /// The names in JSON, a versioned contract.
  enum CodingKeys: String, CodingKey {
    case urbs, errors, stalls, outstanding, refused, unlinks, endpoints, capture
    case elapsed = "elapsed_us"
    case bytesIn = "bytes_in"
    case bytesOut = "bytes_out"
    case overdueEndpoints = "overdue_endpoints"
  }
}
