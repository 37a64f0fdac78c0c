// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI
internal import USBModel

/// Where an agent listens, in numbers.
struct AgentAddress: Sendable, Hashable, Codable {
  var host: String
  var port: UInt16
  /// The address of this machine that it knows: the one it has connected to.
  var from: String?
}

/// What an agent must know of a session that has a device, to go on with it after a restart.
struct HeldSession: Sendable, Hashable, Codable {
  /// The process of the session.
  var pid: Int32
  /// The device as it was before it was taken.
  var device: Device
  /// Who has it.
  var user: RemoteUser
  /// The address it is served to, with the port.
  var peer: String
  /// Where the agent of its user's machine can be asked; `nil` for a plain peer.
  var agent: AgentAddress?
  /// When the session got it, in nanoseconds of `HostClock.monotonic`.
  var began: UInt64
}
