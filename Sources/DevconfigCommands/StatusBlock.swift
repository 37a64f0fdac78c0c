// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI

/// What `devconfig status DEVICE` prints: a block, a table of endpoints, and what waits.
enum StatusBlock {
  /// Microseconds from which on a waiting URB is worth a line.
  private static let longWait: UInt64 = 1_000_000

  /// The lines; `moment` makes a text of seconds since 1970.
  static func lines(
    _ report: DeviceReport, moment: (Int) -> String = Measures.moment
  ) -> [String] {
    let device = report.device
    let id = String(device.id)
    var lines = [
      String(repeating: " ", count: max(0, 3 - id.count)) + "\(id): \(device.name)",
      line("busid", "\(device.busID)@\(device.host)"),
    ]
    lines.append(line("local_state", device.localState.rawValue))
    lines.append(line("remote_state", device.remoteState.rawValue))
    lines.append(line("remote_user", "\(device.remoteUser)"))
    if let reason = device.reason { lines.append(line("reason", reason)) }
    if let rule = device.rule { lines.append(line("rule", rule)) }
    if let since = report.since { lines.append(line("since", moment(since))) }
    if let attachment = report.attachment { lines += place(device, attachment) }
    if let traffic = report.traffic { lines += numbers(traffic) }
    if let note = report.note { lines.append(line("traffic", note)) }
    if let traffic = report.traffic, !traffic.endpoints.isEmpty {
      lines += [""] + table(traffic)
      let waits = traffic.endpoints.compactMap(waiting)
      if !waits.isEmpty { lines += [""] + waits }
    }
    return lines
  }

  private static func line(_ name: String, _ value: String) -> String {
    "   : \(name)\(String(repeating: " ", count: max(0, 13 - name.count))): \(value)"
  }

  private static func place(
    _ device: DeviceStatus, _ attachment: DeviceReport.Attachment
  ) -> [String] {
    var lines: [String] = []
    if let port = attachment.port { lines.append(line("port", "\(port) of vhci_hcd")) }
    if let busID = attachment.localBusID { lines.append(line("local_busid", busID)) }
    if !device.nodes.isEmpty {
      lines.append(line("nodes", device.nodes.joined(separator: " ")))
    }
    return lines
  }

  private static func numbers(_ traffic: Traffic) -> [String] {
    var lines = [
      line("in use for", Measures.time(microseconds: traffic.elapsed)),
      line(
        "traffic",
        "\(Measures.bytes(Double(traffic.bytesIn))) in, "
          + "\(Measures.bytes(Double(traffic.bytesOut))) out, \(traffic.urbs) URBs"),
      line(
        "trouble",
        "\(traffic.errors) errors, \(traffic.stalls) of them stalls; "
          + "\(traffic.unlinks) unlinked, \(traffic.refused) refused"),
    ]
    if let capture = traffic.capture {
      lines.append(
        line("capture", "\(capture.recorded) packets, \(capture.dropped) dropped"))
    }
    return lines
  }

  private static func table(_ traffic: Traffic) -> [String] {
    let header = [
      "ENDPOINT", "TYPE", "URBS", "BYTES", "PER_SECOND", "ERRORS", "STALLS", "QUEUE", "MAX", "P50",
      "P99",
    ]
    let seconds = max(Double(traffic.elapsed) / 1_000_000, 0.001)
    let rows = traffic.endpoints.map { endpoint in
      [
        name(endpoint), endpoint.transfer.rawValue, "\(endpoint.completed)",
        Measures.bytes(Double(endpoint.bytes)), Measures.bytes(Double(endpoint.bytes) / seconds),
        "\(endpoint.errors)", "\(endpoint.stalls)", "\(endpoint.outstanding)",
        "\(endpoint.maximumOutstanding)", Measures.latency(0.5, endpoint.latency),
        Measures.latency(0.99, endpoint.latency),
      ]
    }
    return Columns.lines([header] + rows, left: [0, 1])
  }

  private static func waiting(_ endpoint: EndpointCounters) -> String? {
    guard let waiting = endpoint.waiting, endpoint.isOverdue || waiting >= longWait else {
      return nil
    }
    let text =
      "endpoint \(name(endpoint)) \(endpoint.transfer.rawValue) has waited "
      + "\(Measures.time(microseconds: waiting)) for the device"
    return endpoint.isOverdue ? text + ": overdue, it should have answered" : text
  }

  /// `0x81 IN`.
  private static func name(_ endpoint: EndpointCounters) -> String {
    let digits = String(endpoint.address, radix: 16)
    return "0x\(digits.count == 1 ? "0" : "")\(digits) \(endpoint.isIn ? "IN" : "OUT")"
  }
}
