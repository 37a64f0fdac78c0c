// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// What one endpoint of a device in use has done since its session began; a process that reads the
/// network says this, so nothing in it is believed before `isSound`.
public struct EndpointCounters: Sendable, Codable, Hashable {
  /// How an endpoint transfers.
  public enum Transfer: String, Sendable, Codable, CaseIterable {
    case control, isochronous, bulk, interrupt
  }

  /// The endpoint number, with the direction in bit 7 (set: IN).
  public var address: UInt8
  /// How it transfers.
  public var transfer: Transfer
  /// URBs handed to the device.
  public var submitted: UInt64
  /// URBs that ended.
  public var completed: UInt64
  /// Bytes that moved.
  public var bytes: UInt64
  /// URBs that ended with a stall (EPIPE).
  public var stalls: UInt64
  /// URBs, or packets of isochronous ones, that were lost on the bus (EPROTO, EILSEQ, ETIME and so on).
  public var protocolErrors: UInt64
  /// URBs for which the device sent too much (EOVERFLOW).
  public var overflows: UInt64
  /// URBs that were taken back before their end.
  public var cancelled: UInt64
  /// URBs that ended with anything else.
  public var otherErrors: UInt64
  /// URBs the device has now.
  public var outstanding: UInt64
  /// The most URBs it had at once.
  public var maximumOutstanding: UInt64
  /// From submit to completion, in the classes of `LatencyHistogram`; cancelled ones are left out.
  public var latency: [UInt64]
  /// Microseconds that the oldest outstanding URB has waited; `nil` where none is.
  public var waiting: UInt64?
  /// True where a URB waits that the device should have ended long ago.
  public var isOverdue: Bool
  /// How often that came to pass, this time included.
  public var overdue: UInt64

  /// An endpoint that has done nothing.
  public init(address: UInt8, transfer: Transfer) {
    self.address = address
    self.transfer = transfer
    submitted = 0
    completed = 0
    bytes = 0
    stalls = 0
    protocolErrors = 0
    overflows = 0
    cancelled = 0
    otherErrors = 0
    outstanding = 0
    maximumOutstanding = 0
    latency = []
    waiting = nil
    isOverdue = false
    overdue = 0
  }

  /// True where data comes from the device.
  public var isIn: Bool { address & 0x80 != 0 }

  /// Stalls, lost, too long and otherwise failed; a cancelled URB is no error.
  public var errors: UInt64 {
    [stalls, protocolErrors, overflows, otherErrors].reduce(0) { $0.adding($1) }
  }

  /// True where the address can be one and the histogram has no more classes than there are.
  public var isSound: Bool {
    address & 0x70 == 0 && latency.count <= LatencyHistogram.classes
  }

  /// The names in JSON, a versioned contract.
  enum CodingKeys: String, CodingKey {
    case address, transfer, submitted, completed, bytes, stalls, overflows, cancelled, outstanding
    case overdue
    case protocolErrors = "protocol_errors"
    case otherErrors = "other_errors"
    case maximumOutstanding = "maximum_outstanding"
    case latency = "latency_log2_us"
    case waiting = "waiting_us"
    case isOverdue = "is_overdue"
  }
}

extension UInt64 {
  /// The sum, or the greatest number where it does not fit: what a session says must not trap.
  func adding(_ other: UInt64) -> UInt64 {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }
}
