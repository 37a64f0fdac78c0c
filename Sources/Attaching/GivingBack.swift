// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

public import AgentAPI
public import Logging

/// Gives a device back because the machine it is plugged into asks for it.
///
/// What is kept stays kept: it is tried again, and its machine says no.
public struct GivingBack<Door: AttachDoor>: Sendable {
  private let attachments: Attachments<Door>
  private let release:
    @Sendable (String, Attachment, _ force: Bool) async throws(AgentError) -> [String]
  private let log: Logger

  /// Takes what happens before a device goes: `release` throws `AgentError` where what is in use on it is in the
  /// way, or else writes what is not written yet and says how that went.
  public init(
    attachments: Attachments<Door>,
    release:
      @escaping @Sendable (
        String, Attachment, _ force: Bool
      ) async throws(AgentError) -> [String],
    log: Logger
  ) {
    self.attachments = attachments
    self.release = release
    self.log = log
  }

  /// Gives back what `call` names; what people there should know of how it went.
  ///
  /// `addresses` is where the call comes from, in numbers, in each way it is written (`fe80::1%2`, `fe80::1%eth0`):
  /// only the device's own machine is heard. Throws
  /// `AgentError`: `unknownDevice` where nothing of it is attached here, `inUse` where it is in use,
  /// what `Attachments` throws.
  public func give(
    _ call: ImporterCalls.GiveBackParameters, askedFrom addresses: [String]
  ) async throws(AgentError) -> [String] {
    let found = await attachments.all().first { _, attachment in
      let exporter = attachment.device.exporter
      return exporter.agent == call.exporter && attachment.device.busID == call.busid
        && addresses.contains(where: exporter.addresses.contains)
    }
    guard let (key, attachment) = found else {
      throw AgentError(.unknownDevice, "no such device of yours is attached here")
    }
    let notes = try await release(key, attachment, call.force == true)
    _ = try await attachments.down(key)
    log.notice(
      "the machine of an attached device took it back",
      metadata: [
        "device.name": "\(attachment.device.name)",
        "exporter.host": "\(attachment.device.exporter.host)", "user": "\(attachment.user)",
        "outcome": "\(notes.isEmpty ? "nothing was in use" : notes.joined(separator: "; "))",
      ])
    return notes
  }
}
