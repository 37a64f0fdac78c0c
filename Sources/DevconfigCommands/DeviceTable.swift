// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI

/// The table of `devconfig list`: columns as wide as their widest cell, nothing cut off.
enum DeviceTable {
  private static let header = [
    "ID", "DEVICE", "HOST", "LOCAL_STATE", "REMOTE_STATE", "REMOTE_USER",
  ]

  /// The lines, header first; none where there is no device.
  static func lines(_ devices: [DeviceStatus]) -> [String] {
    guard !devices.isEmpty else { return [] }
    let rows =
      [header]
      + devices.map { device in
        [
          "\(device.id)", device.name, device.host, device.localState.rawValue,
          device.remoteState.rawValue, remark(device),
        ]
      }
    let widths = header.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      var line = pad(row[0], to: max(widths[0], 3), right: true)
      for column in 1..<row.count {
        line += "  " + pad(row[column], to: column == row.count - 1 ? 0 : widths[column])
      }
      return line
    }
  }

  /// Who has it, and for a device nobody can have, why.
  private static func remark(_ device: DeviceStatus) -> String {
    guard let reason = device.reason else { return "\(device.remoteUser)" }
    return "\(device.remoteUser) (\(reason))"
  }

  private static func pad(_ text: String, to width: Int, right: Bool = false) -> String {
    let space = String(repeating: " ", count: max(0, width - text.count))
    return right ? space + text : text + space
  }
}
