// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI

/// The table of `devconfig status`: one line for each device.
enum StatusTable {
  private static let header = [
    "ID", "DEVICE", "HOST", "STATE", "RULE", "USER", "FOR", "IN", "OUT", "URBS", "ERRORS",
    "REMARK",
  ]

  /// The lines, header first; none where there is no device.
  static func lines(_ reports: [DeviceReport]) -> [String] {
    guard !reports.isEmpty else { return [] }
    return Columns.lines([header] + reports.map(row), left: [1, 2, 3, 4, 5, 11], narrowest: [0: 3])
  }

  private static func row(_ report: DeviceReport) -> [String] {
    let device = report.device
    let state = device.isLocal ? device.remoteState.rawValue : device.localState.rawValue
    let front = [
      "\(device.id)", device.name, device.host, state, device.rule ?? "-",
      "\(device.remoteUser)",
    ]
    guard let traffic = report.traffic else {
      return front + ["-", "-", "-", "-", "-", report.note ?? device.reason ?? ""]
    }
    let remark =
      traffic.overdueEndpoints == 0
      ? "" : "a transfer is overdue: devconfig status \(device.id)"
    return front + [
      Measures.time(microseconds: traffic.elapsed), Measures.bytes(Double(traffic.bytesIn)),
      Measures.bytes(Double(traffic.bytesOut)), "\(traffic.urbs)", "\(traffic.errors)", remark,
    ]
  }
}
