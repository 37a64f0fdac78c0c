// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI

/// The block of `devconfig list --long`, in the shape of Figure 6 of the 2005 USB/IP paper.
enum DeviceBlock {
  /// Several lines without a newline at the end.
  static func text(_ device: DeviceStatus) -> String {
    let id = String(device.id)
    var lines = [
      // Its colon stands above those of the other lines.
      String(repeating: " ", count: max(0, 3 - id.count)) + "\(id): \(device.name)",
      "   : IP:PORT      : \(place(device))",
      "   : local_state  : \(device.localState.rawValue)",
      "   : remote_state : \(device.remoteState.rawValue)",
      "   : remote_user  : \(device.remoteUser)",
      "   : remote_module: \(device.remoteModule.rawValue)",
    ]
    if let reason = device.reason { lines.append("   : reason       : \(reason)") }
    if !device.nodes.isEmpty {
      lines.append("   : nodes        : \(device.nodes.joined(separator: " "))")
    }
    return lines.joined(separator: "\n")
  }

  private static func place(_ device: DeviceStatus) -> String {
    guard !device.address.isEmpty else { return device.host }
    return device.address.contains(":")
      ? "[\(device.address)]:\(device.port)" : "\(device.address):\(device.port)"
  }
}
