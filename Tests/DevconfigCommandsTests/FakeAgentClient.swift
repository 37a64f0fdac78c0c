// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import LinuxHost

@testable import DevconfigCommands

/// An agent that knows some devices and attaches whatever it is asked for.
final class FakeAgentClient: AgentClient {
  private var devices: [DeviceStatus]
  private let failure: AgentError?
  /// What devices do, in the order of `status`.
  var reports: [DeviceReport] = []
  /// Where the configuration is.
  var configuration = "/nonexistent"
  /// What is wrong with it each time it is read again.
  var mistakes: [String?] = []
  /// What is wrong with the configuration.
  var mistake: String?
  /// The halves of vhci_hcd's controllers.
  var controllers: [ControllerReport]?
  /// Where a capture comes out.
  var captured: SharedDescriptor?
  /// What `up`, `down` and `name` answer, whatever they are asked; `nil` for what they would do.
  var outcome: AgentCalls.Outcome?
  /// What happens before a list is answered; the argument counts the lists from 1.
  var onList: ((Int) throws(AgentError) -> Void)?
  /// Why no device is taken back; `nil` where it is.
  var refusal: AgentError?
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
    if let onList { try onList(requests.count { $0 == "list" }) }
    return devices
  }

  func up(_ device: String, keep: Bool) throws(AgentError) -> AgentCalls.Outcome {
    requests.append("up \(device)\(keep ? " --keep" : "")")
    return try change(device, to: .attached, nodes: ["/dev/sr1", "/dev/sg2"])
  }

  func down(_ device: String, force: Bool) throws(AgentError) -> AgentCalls.Outcome {
    requests.append("down \(device)\(force ? " --force" : "")")
    var outcome = try change(device, to: .detached, nodes: [])
    if force { outcome.notes = ["/mnt: everything is written"] }
    return outcome
  }

  func takeBack(_ device: String, force: Bool) throws(AgentError) -> AgentCalls.Outcome {
    requests.append("takeBack \(device)\(force ? " --force" : "")")
    if let refusal { throw refusal }
    var status = try Selector.find(device, in: devices)
    let changed = status.remoteState == .inUse
    status.remoteState = .denied
    status.remoteUser = .nobody
    devices = devices.map { $0.id == status.id ? status : $0 }
    return AgentCalls.Outcome(
      device: status, changed: changed, notes: force ? ["/mnt: everything is written"] : nil)
  }

  func name(_ selector: String, _ name: String?) throws(AgentError) -> AgentCalls.Outcome {
    requests.append("name \(selector) \(name ?? "--remove")")
    if let failure { throw failure }
    if let outcome { return outcome }
    var device = try Selector.find(selector, in: devices)
    let own = device.deviceName ?? device.name
    let wanted = name ?? own
    let changed = device.name != wanted
    device.name = wanted
    device.deviceName = name == nil ? nil : own
    devices = devices.map { $0.id == device.id ? device : $0 }
    return AgentCalls.Outcome(device: device, changed: changed)
  }

  func about() throws(AgentError) -> AgentCalls.AboutResults {
    requests.append("about")
    if let failure { throw failure }
    return AgentCalls.AboutResults(
      version: "1", host: "beta", agent: "a", configuration: configuration)
  }

  func reload() throws(AgentError) -> String? {
    requests.append("reload")
    if let failure { throw failure }
    return mistakes.isEmpty ? nil : mistakes.removeFirst()
  }

  /// What is attached still when the machine is about to sleep.
  var left: [String] = []

  func sleep() throws(AgentError) -> [String] {
    requests.append("sleep")
    if let failure { throw failure }
    return left
  }

  func wake() throws(AgentError) {
    requests.append("wake")
    if let failure { throw failure }
  }

  func status(_ device: String?) throws(AgentError) -> AgentCalls.StatusResults {
    requests.append("status \(device ?? "")")
    if let failure { throw failure }
    return AgentCalls.StatusResults(
      devices: reports, mistake: mistake, controllers: controllers)
  }

  func capture(
    _ device: String, snapLength: Int
  ) throws(AgentError) -> SharedDescriptor {
    requests.append("capture \(device) \(snapLength)")
    if let failure { throw failure }
    guard let captured else { throw AgentError(.failed, "nothing to capture") }
    return captured
  }

  private func change(
    _ selector: String, to state: LocalState, nodes: [String]
  ) throws(AgentError) -> AgentCalls.Outcome {
    if let failure { throw failure }
    if let outcome { return outcome }
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
