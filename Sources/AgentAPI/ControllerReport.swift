// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// How far one half of a controller of vhci_hcd is with its sequence numbers.
public struct ControllerReport: Sendable, Hashable, Codable {
  /// What that means.
  public enum State: String, Sendable, Hashable, Codable {
    /// There is enough left.
    case fresh
    /// Nothing more is attached to the controller while others have room; it is made anew once it is empty.
    case worn
    /// What is attached to it should be moved, before the kernel loses it.
    case ending
  }

  /// The number of the controller.
  public var controller: Int
  /// True for the half that takes SuperSpeed devices.
  public var isSuperSpeed: Bool
  /// The sequence numbers it has used, at most; there are 2^31.
  public var used: UInt64
  /// What that means.
  public var state: State

  /// Takes all parts.
  public init(controller: Int, isSuperSpeed: Bool, used: UInt64, state: State) {
    self.controller = controller
    self.isSuperSpeed = isSuperSpeed
    self.used = used
    self.state = state
  }

  /// The names in JSON, a versioned contract.
  enum CodingKeys: String, CodingKey {
    case controller, state
    case isSuperSpeed = "is_super_speed"
    case used = "sequence_numbers"
  }
}
