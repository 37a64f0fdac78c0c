// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import TestSupport
import Testing

/// Counters of a session: classes of latency, sums, limits, and their JSON.
@Suite struct TrafficTests {
  @Test(arguments: [
    (UInt64(0), 0), (1, 1), (2, 2), (3, 2), (4, 3), (127, 7), (128, 8), (16_777_215, 24),
    (16_777_216, 25), (60_000_000, 25), (UInt64.max, 25),
  ])
  func latencyClassesDouble(microseconds: UInt64, index: Int) {
    #expect(LatencyHistogram.index(microseconds: microseconds) == index)
    if let end = LatencyHistogram.end(of: index) { #expect(microseconds < end) }
    if index > 0, let end = LatencyHistogram.end(of: index - 1) { #expect(microseconds >= end) }
  }

  @Test func theLastClassHasNoEnd() {
    #expect(LatencyHistogram.end(of: 24) == 16_777_216)
    #expect(LatencyHistogram.end(of: 25) == nil)
    #expect(LatencyHistogram.end(of: -1) == nil)
  }

  @Test(arguments: [
    ([UInt64](), 0.5, Int?.none), ([0, 0], 0.5, nil), ([0, 0, 1], 0.5, 2), ([0, 0, 1], 0.99, 2),
    ([50, 49, 1], 0.5, 0), ([49, 50, 1], 0.5, 1), ([50, 49, 1], 0.99, 1), ([50, 48, 2], 0.99, 2),
    ([UInt64.max, UInt64.max, 1], 0.5, 0), ([1, 0, 0, 0], 1.0, 0),
  ])
  func sharesLieInTheirClass(counts: [UInt64], share: Double, index: Int?) {
    #expect(LatencyHistogram.index(share: share, of: counts) == index)
  }

  static func endpoint(_ address: UInt8, _ edit: (inout EndpointCounters) -> Void = { _ in })
    -> EndpointCounters
  {
    var endpoint = EndpointCounters(address: address, transfer: .bulk)
    edit(&endpoint)
    return endpoint
  }

  @Test func trafficSumsUp() {
    let traffic = Traffic(
      SessionStatistics(
        elapsed: 7, refused: 1, unlinks: 2,
        endpoints: [
          Self.endpoint(0x81) {
            $0.completed = 3
            $0.bytes = 100
            $0.stalls = 1
            $0.overflows = 2
            $0.outstanding = 4
            $0.cancelled = 50
            $0.isOverdue = true
          },
          Self.endpoint(0x02) {
            $0.completed = 5
            $0.bytes = 1000
            $0.protocolErrors = 4
            $0.otherErrors = 8
          },
          Self.endpoint(0x80), Self.endpoint(0x00),
        ]))
    #expect(traffic.urbs == 8)
    #expect(traffic.bytesIn == 100)
    #expect(traffic.bytesOut == 1000)
    #expect(traffic.errors == 15, "what was taken back is no error")
    #expect(traffic.stalls == 1)
    #expect(traffic.outstanding == 4)
    #expect(traffic.overdueEndpoints == 1)
    #expect(traffic.endpoints.map(\.address) == [0x00, 0x80, 0x81, 0x02])
  }

  @Test func noSumTraps() {
    let greatest = Self.endpoint(0x81) {
      $0.completed = .max
      $0.bytes = .max
      $0.stalls = .max
      $0.protocolErrors = .max
      $0.overflows = .max
      $0.otherErrors = .max
      $0.outstanding = .max
    }
    var other = greatest
    other.address = 0x82
    let traffic = Traffic(SessionStatistics(elapsed: .max, endpoints: [greatest, other]))
    #expect(traffic.urbs == .max)
    #expect(traffic.bytesIn == .max)
    #expect(traffic.errors == .max)
  }

  @Test func whatASessionSaysIsChecked() throws {
    let good = (0..<16).flatMap { [Self.endpoint($0), Self.endpoint($0 | 0x80)] }
    #expect(try SessionStatistics(elapsed: 0, endpoints: good).checked().endpoints.count == 32)
    let bad: [[EndpointCounters]] = [
      good + [Self.endpoint(0x81)], [Self.endpoint(1), Self.endpoint(1)], [Self.endpoint(0x10)],
      [Self.endpoint(0x7F)],
      [Self.endpoint(1) { $0.latency = [UInt64](repeating: 0, count: 27) }],
    ]
    for endpoints in bad {
      #expect(throws: AgentError.self) {
        try SessionStatistics(elapsed: 0, endpoints: endpoints).checked()
      }
    }
  }

  @Test(arguments: [
    (#""bytes":0"#, #""bytes":-1"#), (#""bytes":0"#, #""bytes":18446744073709551616"#),
    (#""bytes":0"#, #""bytes":1e400"#), (#""address":129"#, #""address":256"#),
    (#""transfer":"bulk""#, #""transfer":"telepathy""#), (#""latency_log2_us":[]"#, #""x":[]"#),
    (#""latency_log2_us":[]"#, #""latency_log2_us":[-1]"#),
    (#""is_overdue":false"#, #""is_overdue":0.5"#),
  ])
  func numbersThatAreNoneAreAMismatch(before: String, after: String) throws {
    let text = try MessageTests.text(
      SessionStatistics(elapsed: 0, endpoints: [Self.endpoint(0x81)]))
    #expect(text.contains(before))
    let bytes = Array(text.replacing(before, with: after).utf8)
    #expect(throws: AgentError.self) { try Message.decode(SessionStatistics.self, from: bytes) }
  }

  /// A contract: keys are added, none goes or changes its meaning within the schema's number.
  @Test func theJSON() throws {
    let statistics = SessionStatistics(
      elapsed: 1_000_000, refused: 1, unlinks: 2,
      endpoints: [
        Self.endpoint(0x81) {
          $0.latency = [0, 1]
          $0.waiting = 12
        }
      ], capture: SessionStatistics.Capture(recorded: 3, dropped: 4))
    #expect(
      try MessageTests.text(
        DeviceReport(
          device: DeviceSamples.mouseStatus, since: 1_795_500_428,
          attachment: DeviceReport.Attachment(port: 8, localBusID: "9-1"),
          traffic: Traffic(statistics), note: "why")) == """
          {"attachment":{"local_busid":"9-1","port":8},"device":{"address":"10.9.0.3",\
          "busid":"2-3","host":"gamma","id":2,"is_local":false,"local_state":"DISCONN_DONE",\
          "name":"Logitech M4848","nodes":[],"port":3240,"product_id":"c00c",\
          "remote_module":"USBIP","remote_state":"AVAIL","remote_user":"NOBODY",\
          "vendor_id":"046d"},"note":"why","since":1795500428,"traffic":{"bytes_in":0,\
          "bytes_out":0,"capture":{"dropped":4,"recorded":3},"elapsed_us":1000000,\
          "endpoints":[{"address":129,"bytes":0,"cancelled":0,"completed":0,"is_overdue":false,\
          "latency_log2_us":[0,1],"maximum_outstanding":0,"other_errors":0,"outstanding":0,\
          "overdue":0,"overflows":0,"protocol_errors":0,"stalls":0,"submitted":0,\
          "transfer":"bulk","waiting_us":12}],"errors":0,"outstanding":0,"overdue_endpoints":0,\
          "refused":1,"stalls":0,"unlinks":2,"urbs":0}}
          """)
  }
}
