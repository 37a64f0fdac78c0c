// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

public import USBModel

/// Decides whether a device of this machine may be given away, and says why not.
///
/// The never-share set stands above every rule people write: a device is never taken from its own
/// machine unasked. What cannot be told apart from a device in use counts as in use.
public struct SharePolicy: Sendable {
  /// Makes the built-in policy.
  public init() {}

  /// Judges `device` by what it is and by how its machine uses it now.
  public func judge(_ device: Device, uses: [LocalUse]) -> Verdict {
    if device.isHub {
      return .deny(
        Denial("it is a hub; the devices behind it are shared one by one", isLasting: true))
    }
    if device.isImported {
      return .deny(Denial("it came from another machine over USB/IP", isLasting: true))
    }
    if let use = uses.min(by: { SharePolicy.rank($0) < SharePolicy.rank($1) }) {
      return .deny(Denial(SharePolicy.reason(use)))
    }
    if device.interfaces.isEmpty && device.configurationValue == 0 {
      return .deny(Denial("it is not configured by its machine"))
    }
    return .share
  }

  /// The use that says most to a person comes first when there are several.
  private static func rank(_ use: LocalUse) -> Int {
    switch use {
    case .mounted: 0
    case .swap: 1
    case .held: 2
    case .keyboard: 3
    case .network: 4
    case .open: 5
    }
  }

  /// One use in words for people, naming the owner.
  public static func reason(_ use: LocalUse) -> String {
    switch use {
    case .mounted(let node, let path): "\(node) is mounted on \(path)"
    case .swap(let node): "\(node) is swap space of its machine"
    case .held(let node, let holder): "\(node) is part of \(holder)"
    case .keyboard(let node, let owner): "\(node) is a keyboard in use by \(owner)"
    case .network(let interface): "network interface \(interface) is in use"
    case .open(let node, let program, let process):
      "\(node) is in use by \(program) (process \(process))"
    }
  }
}
