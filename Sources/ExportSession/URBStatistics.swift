// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI
internal import USBIPWire
internal import USBModel

/// What a session counts: plain numbers in tables made once, changed twice per URB.
struct URBStatistics: ~Copyable {
  /// One endpoint in one direction; trivial, so that it is changed in place.
  struct Endpoint {
    var type = TransferType.control
    var submitted: UInt64 = 0
    var completed: UInt64 = 0
    var bytes: UInt64 = 0
    var stalls: UInt64 = 0
    var protocolErrors: UInt64 = 0
    var overflows: UInt64 = 0
    var cancelled: UInt64 = 0
    var otherErrors: UInt64 = 0
    var outstanding: UInt64 = 0
    var maximumOutstanding: UInt64 = 0
    /// How often a URB became overdue.
    var overdue: UInt64 = 0
    /// True while one is, and the journal knows it.
    var isOverdue = false
    var latency: [26 of UInt64] = .init(repeating: 0)
  }

  /// OUT 0...15, then IN 0...15.
  private let endpoints: UnsafeMutablePointer<Endpoint>
  private static let endpointCount = 32

  /// URBs answered without the device.
  var refused: UInt64 = 0
  /// Unlinks taken.
  var unlinks: UInt64 = 0

  init() {
    endpoints = .allocate(capacity: URBStatistics.endpointCount)
    endpoints.initialize(repeating: Endpoint(), count: URBStatistics.endpointCount)
  }

  deinit {
    endpoints.deallocate()
  }

  /// The endpoint with this address, to read and change in place.
  subscript(_ address: UInt8) -> Endpoint {
    get { endpoints[URBStatistics.index(address)] }
    nonmutating _modify { yield &endpoints[URBStatistics.index(address)] }
  }

  /// Counts a URB that the device gets.
  func begin(_ address: UInt8, _ type: TransferType) {
    let endpoint = endpoints + URBStatistics.index(address)
    endpoint.pointee.type = type
    endpoint.pointee.submitted &+= 1
    endpoint.pointee.outstanding &+= 1
    if endpoint.pointee.outstanding > endpoint.pointee.maximumOutstanding {
      endpoint.pointee.maximumOutstanding = endpoint.pointee.outstanding
    }
  }

  /// Counts its end: the status the device gave, the bytes that moved, the packets of an isochronous
  /// one that failed, and the nanoseconds it took.
  func end(_ address: UInt8, status: Int32, moved: Int, failedPackets: Int, took: UInt64) {
    let endpoint = endpoints + URBStatistics.index(address)
    endpoint.pointee.completed &+= 1
    endpoint.pointee.outstanding &-= 1
    endpoint.pointee.bytes &+= UInt64(max(0, moved))
    endpoint.pointee.protocolErrors &+= UInt64(max(0, failedPackets))
    if status != 0 {
      guard URBStatistics.enter(status, at: endpoint) else { return }
    }
    let index = LatencyHistogram.index(microseconds: took / 1000)
    endpoint.pointee.latency[index] &+= 1
  }

  /// The counters of all endpoints that did something; `waiting` gives for an address the
  /// nanoseconds that its oldest URB has waited.
  func counters(waiting: (UInt8) -> UInt64?) -> [EndpointCounters] {
    (0..<URBStatistics.endpointCount).compactMap { index in
      let address = UInt8(index & 0x0F | (index >= 16 ? 0x80 : 0))
      let endpoint = endpoints[index]
      guard endpoint.submitted > 0 else { return nil }
      var counters = EndpointCounters(
        address: address, transfer: URBStatistics.transfer(endpoint.type))
      counters.submitted = endpoint.submitted
      counters.completed = endpoint.completed
      counters.bytes = endpoint.bytes
      counters.stalls = endpoint.stalls
      counters.protocolErrors = endpoint.protocolErrors
      counters.overflows = endpoint.overflows
      counters.cancelled = endpoint.cancelled
      counters.otherErrors = endpoint.otherErrors
      counters.outstanding = endpoint.outstanding
      counters.maximumOutstanding = endpoint.maximumOutstanding
      counters.overdue = endpoint.overdue
      counters.isOverdue = endpoint.isOverdue
      let used = endpoint.latency.indices.last { endpoint.latency[$0] > 0 } ?? -1
      counters.latency = (0..<used + 1).map { endpoint.latency[$0] }
      counters.waiting = waiting(address).map { $0 / 1000 }
      return counters
    }
  }

  /// The place of an endpoint in the tables.
  @inline(__always)
  static func index(_ address: UInt8) -> Int {
    Int(address & 0x0F) + (address & 0x80 == 0 ? 0 : 16)
  }

  /// False for a URB that was taken back: how long it lay there tells nothing of the device.
  private static func enter(_ status: Int32, at endpoint: UnsafeMutablePointer<Endpoint>) -> Bool {
    switch status {
    case URBStatus.stall:
      endpoint.pointee.stalls &+= 1
    case URBStatus.babble:
      endpoint.pointee.overflows &+= 1
    case URBStatus.noEntry, URBStatus.connectionReset, URBStatus.shutdown:
      endpoint.pointee.cancelled &+= 1
      return false
    case URBStatus.shortTransfer:
      // The importer wanted to be told so; the device did nothing wrong.
      break
    case LinkError.timeExpired, LinkError.noStreams, LinkError.communication,
      LinkError.protocolError,
      LinkError.illegalSequence:
      endpoint.pointee.protocolErrors &+= 1
    default:
      endpoint.pointee.otherErrors &+= 1
    }
    return true
  }

  /// What host controllers say of a transfer that broke on the bus
  /// (Documentation/driver-api/usb/error-codes.rst).
  private enum LinkError {
    static let timeExpired: Int32 = -62
    static let noStreams: Int32 = -63
    static let communication: Int32 = -70
    static let protocolError: Int32 = -71
    static let illegalSequence: Int32 = -84
  }

  private static func transfer(_ type: TransferType) -> EndpointCounters.Transfer {
    switch type {
    case .control: .control
    case .isochronous: .isochronous
    case .bulk: .bulk
    case .interrupt: .interrupt
    }
  }
}
