// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI
internal import Logging
internal import Sharing
internal import USBModel

/// Takes a device of this machine back from its user: asks the machine that has it, and with `force` does not
/// depend on the answer.
struct TakingBack: Sendable {
  /// How long a device may take to be here again after its user gave it back.
  static let patience = Duration.seconds(15)
  /// Between two looks whether it is.
  static let look = Duration.milliseconds(50)

  let agent: String
  let inventory: SharedInventory<KernelExportDoor>
  let exports: LiveExports
  let sessions: SessionHost
  let log: Logger

  /// Takes the device `status` shows back, which is in use; what people should know of how it went.
  ///
  /// Throws `AgentError`: `inUse` where its user's machine refuses or cannot be asked, `timedOut` where the
  /// device does not come back.
  func take(_ status: DeviceStatus, force: Bool) async throws(AgentError) -> [String] {
    guard let busID = BusID(status.busID), let holder = await exports.holder(busID) else {
      throw AgentError(
        .failed, "\(status.name) is on its way", hint: "devconfig list shows where it ends up")
    }
    let metadata: Logger.Metadata = [
      "device.name": "\(status.name)", "device.busid": "\(busID)",
      "remote.user": "\(status.remoteUser)",
    ]
    var notes: [String]
    do throws(AgentError) {
      notes = try await ask(holder, busID, force: force)
    } catch {
      // What even force does not take away there, such as swap space, is not taken away from here either.
      guard force, error.kind != .inUse || holder.agent == nil else {
        throw refusal(error, status, force: force)
      }
      log.warning(
        "a device is taken back without its user's machine",
        metadata: metadata.adding("reason", error.message))
      await exports.end(serving: busID)
      notes = [
        "\(error.message); \(status.name) was taken back all the same, and what was not written is lost"
      ]
    }
    try await arrival(of: busID, from: holder.session, status)
    log.notice("a device was taken back from its user", metadata: metadata)
    return notes
  }

  private func ask(
    _ holder: LiveExports.Holder, _ busID: BusID, force: Bool
  ) async throws(AgentError) -> [String] {
    guard let address = holder.agent else {
      throw AgentError(
        .inUse, "the machine that has it does not run devconfigd and cannot be asked")
    }
    return try await sessions.takeBack(busID, from: address, as: agent, force: force)
  }

  /// The same in the words of who asked here, with the next step.
  private func refusal(_ error: AgentError, _ status: DeviceStatus, force: Bool) -> AgentError {
    AgentError(
      .inUse, "\(status.name) stays with \(status.remoteUser): \(error.message)",
      hint: "ask \(status.remoteUser) for it"
        + (force ? "" : ", or take it back all the same: devconfig unshare --force \(status.id)"))
  }

  private func arrival(
    of busID: BusID, from session: SessionNumber, _ status: DeviceStatus
  ) async throws(AgentError) {
    let deadline = ContinuousClock.now + TakingBack.patience
    while await inventory.isHeld(busID, by: session) {
      guard ContinuousClock.now < deadline else {
        throw AgentError(
          .timedOut, "\(status.name) was asked for and is not back yet",
          hint: "devconfig list shows where it is")
      }
      try? await Task.sleep(for: TakingBack.look)
    }
  }
}
