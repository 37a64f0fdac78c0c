// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

public import AgentAPI
public import Logging

/// Gives back what people attached, and did not ask to keep, when they log out of this machine.
public struct LogoutWatch<Door: AttachDoor>: Sendable {
  /// Two seconds are promised, for the giving back as well.
  private static var interval: Duration { .seconds(1) }

  private let attachments: Attachments<Door>
  private let kept: KeptAttachments<Door>
  private let isThere: @Sendable (_ name: String) async -> Bool
  private let check: @Sendable (_ key: String, Attachment) async throws(AgentError) -> Void
  private let log: Logger

  /// `isThere` says whether the user of this name works at this machine; `check` throws where a device
  /// cannot be given back without a loss.
  public init(
    attachments: Attachments<Door>, kept: KeptAttachments<Door>,
    isThere: @escaping @Sendable (_ name: String) async -> Bool,
    check: @escaping @Sendable (_ key: String, Attachment) async throws(AgentError) -> Void,
    log: Logger
  ) {
    self.attachments = attachments
    self.kept = kept
    self.isThere = isThere
    self.check = check
    self.log = log
  }

  /// Looks every second until the calling task is cancelled.
  public func run() async {
    var departures = Departures()
    while !Task.isCancelled {
      try? await Task.sleep(for: LogoutWatch.interval)
      await look(&departures)
    }
  }

  /// Looks once; returns when what belongs to who has left is given back.
  public func look(_ departures: inout Departures) async {
    let lent = await lent()
    let owners = Set(lent.values.map(\.user))
    var there: Set<RemoteUser> = []
    for owner in owners where await isThere(owner.name) { there.insert(owner) }
    let left = departures.look(owners, there: there)
    await withDiscardingTaskGroup { group in
      for (key, attachment) in lent where left.contains(attachment.user) {
        group.addTask { await giveBack(key, attachment) }
      }
    }
  }

  /// What is attached, and not for good.
  private func lent() async -> [String: Attachment] {
    let all = await attachments.all()
    guard !all.isEmpty else { return [:] }
    let devices = await kept.devices
    return all.filter { $1.state == .attached && devices.owner(of: $0) == nil }
  }

  private func giveBack(_ key: String, _ attachment: Attachment) async {
    let metadata: Logger.Metadata = [
      "device.name": "\(attachment.device.name)", "user": "\(attachment.user)",
    ]
    do throws(AgentError) {
      try await check(key, attachment)
      _ = try await attachments.down(key)
      log.notice("the user of a device logged out, it is given back", metadata: metadata)
    } catch {
      log.warning(
        "the user of a device logged out, and it cannot be given back, leaving it attached",
        metadata: metadata.merging(["reason": "\(error.message)", "next": "\(error.hint)"]) { $1 })
    }
  }
}
