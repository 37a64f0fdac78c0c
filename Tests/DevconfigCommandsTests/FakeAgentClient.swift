// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI

@testable import DevconfigCommands

/// An agent that knows some devices and attaches whatever it is asked for.
final class FakeAgentClient: AgentClient {
  private var devices: [DeviceStatus]
  private let failure: AgentError?
  /// What was asked for, in order.
  private(set) var requests: [String] = []

  /// Fails every call with `failure`, where there is one.
  init(_ devices: [DeviceStatus] = [], failure: AgentError? = nil) {
    self.devices = devices
    self.failure = failure
  }

  func list() throws(AgentError) -> [DeviceStatus] {
    requests.append("list")
    if let failure { throw failure }
    return devices
  }

  func up(_ device: String) throws(AgentError) -> AgentCalls.Outcome {
    requests.append("up \(device)")
    return try change(device, to: .attached, nodes: ["/dev/sr1", "/dev/sg2"])
  }

  func down(_ device: String) throws(AgentError) -> AgentCalls.Outcome {
    requests.append("down \(device)")
    return try change(device, to: .detached, nodes: [])
  }

  private func change(
    _ selector: String, to state: LocalState, nodes: [String]
  ) throws(AgentError) -> AgentCalls.Outcome {
    if let failure { throw failure }
    var device = try Selector.find(selector, in: devices)
    let changed = !device.isLocal && device.localState != state
    if changed {
      device.localState = state
      device.nodes = nodes
      devices = devices.map { $0.id == device.id ? device : $0 }
    }
    return AgentCalls.Outcome(device: device, changed: changed)
  }
}
