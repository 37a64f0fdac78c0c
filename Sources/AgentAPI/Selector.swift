// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// How people name a device: ID, name, `host/name`, `vid:pid`, serial or `busid@host`.
public enum Selector {
  /// Finds the one device `text` names among `devices`.
  ///
  /// The forms are tried in the order of their precision: ID, `busid@host`, `host/name`, exact name,
  /// `vid:pid`, serial, and last a part of the name. The first form that matches anything decides.
  /// Throws `AgentError`: `unknownDevice`, or `ambiguousDevice` with the candidates.
  public static func find(
    _ text: String, in devices: [DeviceStatus]
  ) throws(AgentError) -> DeviceStatus {
    if let id = Int(text), let match = devices.first(where: { $0.id == id }) { return match }
    // An attached device is here twice: as itself and as what it looks like on this machine. People
    // mean the former.
    for pool in [devices.filter { $0.isImported != true }, devices] {
      for matches in forms(text, pool) where !matches.isEmpty {
        guard matches.count == 1, let match = matches.first else {
          throw AgentError(
            .ambiguousDevice, "\(text) names \(matches.count) devices",
            hint: "name one of them by its ID",
            candidates: matches.sorted { $0.id < $1.id })
        }
        return match
      }
    }
    throw AgentError(
      .unknownDevice, "no device is named \(text)", hint: "devconfig list shows what there is")
  }

  private static func forms(_ text: String, _ devices: [DeviceStatus]) -> [[DeviceStatus]] {
    let folded = text.lowercased()
    var forms: [[DeviceStatus]] = []
    if let at = text.lastIndex(of: "@") {
      let busID = String(text[..<at])
      let host = text[text.index(after: at)...].lowercased()
      forms.append(devices.filter { $0.busID == busID && isHost(host, $0) })
    }
    if let slash = text.firstIndex(of: "/") {
      let host = text[..<slash].lowercased()
      let name = text[text.index(after: slash)...].lowercased()
      let there = devices.filter { isHost(host, $0) }
      forms.append(there.filter { $0.isNamed(name) })
      if !name.isEmpty { forms.append(there.filter { $0.isNamedLike(name) }) }
    }
    // A name that was given to one device is that device's, whatever others call themselves.
    forms.append(devices.filter { $0.deviceName != nil && $0.name.lowercased() == folded })
    forms.append(devices.filter { $0.isNamed(folded) })
    forms.append(devices.filter { "\($0.vendorID):\($0.productID)".lowercased() == folded })
    forms.append(devices.filter { $0.serial == text })
    if !folded.isEmpty { forms.append(devices.filter { $0.isNamedLike(folded) }) }
    return forms
  }

  private static func isHost(_ folded: String, _ device: DeviceStatus) -> Bool {
    // A device of this machine has no address, and no host at all names no device.
    !folded.isEmpty && (device.host.lowercased() == folded || device.address == folded)
  }
}

extension DeviceStatus {
  /// True where the device is called `folded` by people or by itself.
  fileprivate func isNamed(_ folded: String) -> Bool {
    name.lowercased() == folded || deviceName?.lowercased() == folded
  }

  /// True where `folded` is a part of one of its names.
  fileprivate func isNamedLike(_ folded: String) -> Bool {
    name.lowercased().contains(folded) || deviceName?.lowercased().contains(folded) == true
  }
}
