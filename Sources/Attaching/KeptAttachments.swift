// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

public import AgentAPI
public import Logging

/// Attaches kept devices again whenever they are lost, until people let go of them.
///
/// A device that comes back as another one on the same port is followed, until it is itself again.
public actor KeptAttachments<Door: AttachDoor> {
  private static var asleep: String { "this machine sleeps" }

  private let attachments: Attachments<Door>
  private let book: any KeptBook
  private let log: Logger
  private let alarm = Alarm()
  private var kept = KeptDevices()
  private var watches: [String: KeptWatch] = [:]
  /// Tries under way; letting go of a device waits for its own.
  private var tries: [String: Task<Void, Never>] = [:]
  private var generator = SystemRandomNumberGenerator()
  private var isStopped = false
  private var isAsleep = false

  /// Starts with nothing; `load` brings what `book` has.
  public init(attachments: Attachments<Door>, book: any KeptBook, log: Logger) {
    self.attachments = attachments
    self.book = book
    self.log = log
  }

  /// What is kept.
  public var devices: KeptDevices { kept }

  /// The kept devices that are not attached, by key.
  public var retries: [String: KeptRetry] { watches.compactMapValues(\.retry) }

  /// True from `sleep` to `wake`.
  public var isSleeping: Bool { isAsleep }

  /// Keeps `device` attached for `user` from now on; returns whether that is new.
  ///
  /// Throws `AgentError` where it cannot be written down, and it is not kept then.
  public func keep(_ device: RemoteDevice, for user: RemoteUser) async throws(AgentError) -> Bool {
    let entry = KeptDevices.Entry(user: user, device: device)
    let isNew = kept.entries[device.key] == nil
    // What is kept itself stands in for nothing.
    let owner = isNew ? kept.owner(of: device.key) : nil
    var next = kept
    guard try next.keep(entry) else { return false }
    if let owner { _ = next.replace(owner, by: nil) }
    try await book.write(next)
    // Only what changed here: what stands in for others may have changed meanwhile.
    _ = try kept.keep(entry)
    if let owner { _ = kept.replace(owner, by: nil) }
    if watches[device.key] == nil { watches[device.key] = KeptWatch() }
    await alarm.ring()
    return isNew
  }

  /// All that letting go of the device `key` lets go of: the kept device and what stands in for it.
  public func group(of key: String) -> [String] {
    guard let owner = kept.owner(of: key), let entry = kept.entries[owner] else { return [key] }
    return [owner] + (entry.standIn.map { [$0.key] } ?? [])
  }

  /// Keeps the device `key`, or the one it stands in for, no longer; false where it was not kept.
  ///
  /// Returns when no try of it is under way. Throws `AgentError` where that cannot be written down; it is let
  /// go of until the agent is restarted.
  public func release(_ key: String) async throws(AgentError) -> Bool {
    guard let owner = kept.owner(of: key), kept.release(owner) else { return false }
    watches[owner] = nil
    await tries[owner]?.value
    try await book.write(kept)
    return true
  }

  /// Takes what an exporter announces: where a kept device is now, that it may be free, or that another one is
  /// on its port; `isMoved` tells that the device was on another port before, and stands in for none.
  public func announced(_ device: RemoteDevice, isMoved: Bool = false) async {
    var isChanged = false
    var isConcerned = kept.owner(of: device.key) != nil
    if let entry = kept.entries[device.key], watches[device.key] != nil {
      watches[device.key]?.following.ownAnnounced()
      if entry.device != device {
        isChanged =
          (try? kept.keep(KeptDevices.Entry(user: entry.user, device: device))) ?? false
      }
      if kept.entries[device.key]?.standIn != nil {
        stopFollowing(device.key, reason: "it is back")
        isChanged = true
      }
    } else if !isMoved {
      for (key, entry) in kept.entries where entry.device.isReplaced(by: device) {
        watches[key]?.following.announced(device, at: .now)
        isConcerned = true
        if entry.standIn?.key == device.key {
          isChanged = kept.replace(key, by: device) || isChanged
        }
      }
    }
    // Most devices of a LAN have nothing to do with those that are kept.
    guard isConcerned else { return }
    // What is not written down is learnt again from the next announcement.
    if isChanged { try? await book.write(kept) }
    if device.state == .available, let owner = kept.owner(of: device.key) {
      trySoon(owner)
    }
    await alarm.ring()
  }

  /// Takes that the device `key` is announced no more.
  public func withdrawn(_ key: String) async {
    for owner in kept.entries.keys { watches[owner]?.following.withdrawn(key) }
    guard let owner = kept.owner(of: key), owner != key, watches[owner]?.isAttached == false,
      watches[owner]?.isTrying == false
    else { return }
    stopFollowing(owner, reason: "what stood in for it is gone")
    try? await book.write(kept)
    await alarm.ring()
  }

  /// Takes over what was kept before this agent; called before anything else.
  public func load() async {
    kept = await book.read()
    for key in kept.entries.keys { watches[key] = KeptWatch() }
  }

  /// Attaches and watches until it is told to stop.
  public func run() async {
    await withDiscardingTaskGroup { group in
      group.addTask {
        for await _ in self.attachments.changes { await self.alarm.ring() }
      }
      await watchAll()
      group.cancelAll()
    }
  }

  /// Tries nothing from now on, and returns when no try is under way: what is attached may be taken off then.
  public func stop() async {
    isStopped = true
    await alarm.ring()
    await settle()
  }

  /// Returns when no try is under way.
  public func settle() async {
    for task in tries.values { await task.value }
  }

  /// Tries nothing until `wake`, for this machine is about to sleep; a try under way goes on.
  public func sleep() {
    isAsleep = true
    for key in watches.keys {
      watches[key]?.isAttached = false
      watches[key]?.retry = KeptRetry(due: .now, reason: Self.asleep, isFlapping: false)
    }
  }

  /// Attaches at once what was kept before `sleep`.
  public func wake() async {
    guard isAsleep else { return }
    isAsleep = false
    for key in watches.keys {
      // A loss for sleeping says nothing of how steady the device is.
      watches[key]?.schedule = RetrySchedule()
      watches[key]?.retry = KeptRetry(
        due: .now, reason: "this machine has just woken up", isFlapping: false)
    }
    await alarm.ring()
  }

  private func watchAll() async {
    while !isStopped {
      let rings = await alarm.count
      await look()
      let due = watches.values.compactMap { $0.isTrying ? nil : $0.retry?.due }.min()
      let next = isAsleep ? nil : due
      _ = await alarm.wait(since: rings, until: next ?? .now + RetrySchedule.longest)
    }
  }

  private func look() async {
    let all = await attachments.all()
    guard !isStopped, !isAsleep else { return }
    let now = ContinuousClock.now
    let before = kept
    for (key, watch) in watches where !watch.isTrying {
      guard let wanted = kept.entries[key]?.wanted else { continue }
      if let attachment = all[wanted.key] {
        guard attachment.state == .attached, !watch.isAttached else { continue }
        hold(key, at: now)
      } else if watch.isAttached {
        lose(key, wanted, at: now)
        followIfReplaced(key)
      } else if !followIfReplaced(key), watch.retry.map({ $0.due <= now }) ?? true {
        startTry(key)
      }
    }
    if kept != before { try? await book.write(kept) }
  }

  private func hold(_ key: String, at now: ContinuousClock.Instant) {
    watches[key]?.isAttached = true
    watches[key]?.retry = nil
    watches[key]?.schedule.attached(at: now)
  }

  private func lose(_ key: String, _ device: RemoteDevice, at now: ContinuousClock.Instant) {
    guard var watch = watches[key] else { return }
    watch.isAttached = false
    watch.following.lost(at: now)
    let delay = watch.schedule.lost(at: now, using: &generator)
    watch.retry = KeptRetry(
      due: now + delay, reason: "the connection was lost",
      isFlapping: watch.schedule.isFlapping(at: now))
    watches[key] = watch
    log.notice("a kept device was lost", metadata: name(device, delay))
    if device.key != key, !watch.following.isThere(device.key) { _ = kept.replace(key, by: nil) }
  }

  /// Tries what came up on the port of a lost device, where there is something; returns whether it does.
  @discardableResult
  private func followIfReplaced(_ key: String) -> Bool {
    guard let entry = kept.entries[key], let other = watches[key]?.following.candidate,
      // What is kept itself, or stands in already, is attached anyway.
      kept.owner(of: other.key) == nil
    else { return false }
    log.notice(
      "a kept device came back as another one, following it",
      metadata: [
        "device.name": "\(entry.device.name)", "exporter.host": "\(entry.device.exporter.host)",
        "device.busid": "\(other.busID)", "successor.name": "\(other.name)",
      ])
    _ = kept.replace(key, by: other)
    // One that comes and goes waits for its turn.
    if watches[key]?.retry?.isFlapping != true { startTry(key) }
    return true
  }

  private func stopFollowing(_ key: String, reason: String) {
    guard let standIn = kept.entries[key]?.standIn else { return }
    _ = kept.replace(key, by: nil)
    watches[key]?.leftover = standIn.key
    watches[key]?.isAttached = false
    let now = ContinuousClock.now
    let isFlapping = watches[key]?.schedule.isFlapping(at: now) ?? false
    watches[key]?.retry = KeptRetry(
      due: isFlapping ? now + RetrySchedule.longest : now, reason: reason, isFlapping: isFlapping)
  }

  private func startTry(_ key: String) {
    guard let entry = kept.entries[key] else { return }
    watches[key]?.isTrying = true
    let leftover = watches[key]?.leftover
    watches[key]?.leftover = nil
    // Owned by this actor: `release` and the end of `run` wait for it.
    tries[key] = Task {
      // Both are one device on one port: whatever is left of the other has lost its exporter.
      if let leftover { _ = try? await attachments.down(leftover) }
      let failure: AgentError?
      do throws(AgentError) {
        _ = try await attachments.up(entry.wanted, as: entry.user)
        failure = nil
      } catch {
        failure = error
      }
      await self.ended(key, entry.wanted, failure)
    }
  }

  private func ended(_ key: String, _ device: RemoteDevice, _ failure: AgentError?) async {
    tries[key] = nil
    watches[key]?.isTrying = false
    if failure == nil, !isAsleep, kept.entries[key]?.wanted.key == device.key {
      // Known before the next look, which may come after its loss.
      hold(key, at: .now)
    }
    if let failure, var watch = watches[key], kept.entries[key]?.wanted.key == device.key {
      let now = ContinuousClock.now
      let delay = watch.schedule.failed(at: now, using: &generator)
      watch.retry = KeptRetry(
        due: now + delay, reason: isAsleep ? Self.asleep : failure.message,
        isFlapping: watch.schedule.isFlapping(at: now))
      var isDropped = false
      if failure.kind == .unknownDevice {
        // The exporter knows better than any announcement what is on its port.
        if device.key == key {
          watch.following.ownAbsent()
        } else {
          watch.following.withdrawn(device.key)
          isDropped = kept.replace(key, by: nil)
        }
      }
      watches[key] = watch
      log.info(
        "a kept device cannot be attached, trying again",
        metadata: name(device, delay).merging(["error": "\(failure.message)"]) { $1 })
      if isDropped { try? await book.write(kept) }
    }
    await alarm.ring()
  }

  private func trySoon(_ key: String) {
    guard let watch = watches[key], !watch.isTrying, !watch.isAttached,
      let retry = watch.retry, !retry.isFlapping, retry.due > .now
    else { return }
    watches[key]?.retry?.due = .now
  }

  private func name(_ device: RemoteDevice, _ delay: Duration) -> Logger.Metadata {
    [
      "device.name": "\(device.name)", "exporter.host": "\(device.exporter.host)",
      "seconds": "\((delay / .seconds(1)).rounded())",
    ]
  }
}
