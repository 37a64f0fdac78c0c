// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

public import AgentAPI
public import Logging

/// Where the kept devices outlast the agent.
public protocol KeptBook: Sendable {
  /// What was written last; nothing before.
  func read() async -> KeptDevices
  /// Writes all of it, for good when this returns. Throws `AgentError` where that is not possible.
  func write(_ kept: KeptDevices) async throws(AgentError)
}

/// Attaches kept devices again whenever they are lost, until people let go of them.
public actor KeptAttachments<Door: AttachDoor> {
  /// Why a kept device is not attached, and when it is tried next.
  public struct Retry: Sendable, Hashable {
    /// The next try; in the past while one is under way.
    public var due: ContinuousClock.Instant
    /// Why it is not attached, in words for people.
    public var reason: String
    /// True where it comes and goes too often to be tried at once.
    public var isFlapping: Bool
  }

  private struct Watch {
    var schedule = RetrySchedule()
    var retry: Retry?
    var isAttached = false
    var isTrying = false
  }

  private let attachments: Attachments<Door>
  private let book: any KeptBook
  private let log: Logger
  private let alarm = Alarm()
  private var kept = KeptDevices()
  private var watches: [String: Watch] = [:]
  /// Tries under way; letting go of a device waits for its own.
  private var tries: [String: Task<Void, Never>] = [:]
  private var generator = SystemRandomNumberGenerator()
  private var isStopped = false

  /// Starts with nothing; `load` brings what `book` has.
  public init(attachments: Attachments<Door>, book: any KeptBook, log: Logger) {
    self.attachments = attachments
    self.book = book
    self.log = log
  }

  /// What is kept.
  public var devices: KeptDevices { kept }

  /// The kept devices that are not attached, by key.
  public var retries: [String: Retry] { watches.compactMapValues(\.retry) }

  /// Keeps `device` attached for `user` from now on; returns whether that is new.
  ///
  /// Throws `AgentError` where it cannot be written down, and it is not kept then.
  public func keep(_ device: RemoteDevice, for user: RemoteUser) async throws(AgentError) -> Bool {
    let isNew = kept.entries[device.key] == nil
    var next = kept
    guard try next.keep(KeptDevices.Entry(user: user, device: device)) else { return false }
    try await book.write(next)
    kept = next
    if watches[device.key] == nil { watches[device.key] = Watch() }
    await alarm.ring()
    return isNew
  }

  /// Keeps the device `key` no longer, and returns when no try of it is under way; false where it was not kept.
  ///
  /// Throws `AgentError` where that cannot be written down; it is let go of until the agent is restarted.
  public func release(_ key: String) async throws(AgentError) -> Bool {
    guard kept.release(key) else { return false }
    watches[key] = nil
    await tries[key]?.value
    try await book.write(kept)
    return true
  }

  /// Takes what an exporter announces of a kept device: where it is now, and that it may be free.
  public func announced(_ device: RemoteDevice) async {
    guard let entry = kept.entries[device.key], watches[device.key] != nil else { return }
    if entry.device != device {
      var next = kept
      if (try? next.keep(KeptDevices.Entry(user: entry.user, device: device))) == true {
        kept = next
        // An address that is not written down is learnt again from the next announcement.
        try? await book.write(next)
      }
    }
    if device.state == .available { await trySoon(device.key) }
  }

  /// Takes over what was kept before this agent; called before anything else.
  public func load() async {
    kept = await book.read()
    for key in kept.entries.keys { watches[key] = Watch() }
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
    for task in tries.values { await task.value }
  }

  private func watchAll() async {
    while !isStopped {
      let rings = await alarm.count
      await look()
      let due = watches.values.compactMap { $0.isTrying ? nil : $0.retry?.due }.min()
      _ = await alarm.wait(since: rings, until: due ?? .now + RetrySchedule.longest)
    }
  }

  private func look() async {
    guard !isStopped else { return }
    let all = await attachments.all()
    let now = ContinuousClock.now
    for (key, watch) in watches where !watch.isTrying {
      if let attachment = all[key] {
        guard attachment.state == .attached, !watch.isAttached else { continue }
        watches[key]?.isAttached = true
        watches[key]?.retry = nil
        watches[key]?.schedule.attached(at: now)
      } else if watch.isAttached {
        lose(key, at: now)
      } else if watch.retry.map({ $0.due <= now }) ?? true {
        startTry(key)
      }
    }
  }

  private func lose(_ key: String, at now: ContinuousClock.Instant) {
    guard var watch = watches[key] else { return }
    watch.isAttached = false
    let delay = watch.schedule.lost(at: now, using: &generator)
    watch.retry = Retry(
      due: now + delay, reason: "the connection was lost",
      isFlapping: watch.schedule.isFlapping(at: now))
    watches[key] = watch
    log.notice("a kept device was lost", metadata: name(key, delay))
  }

  private func startTry(_ key: String) {
    guard let entry = kept.entries[key] else { return }
    watches[key]?.isTrying = true
    // Owned by this actor: `release` and the end of `run` wait for it.
    tries[key] = Task {
      let failure: AgentError?
      do throws(AgentError) {
        _ = try await attachments.up(entry.device, as: entry.user)
        failure = nil
      } catch {
        failure = error
      }
      await self.ended(key, failure)
    }
  }

  private func ended(_ key: String, _ failure: AgentError?) async {
    tries[key] = nil
    watches[key]?.isTrying = false
    if let failure, var watch = watches[key] {
      let now = ContinuousClock.now
      let delay = watch.schedule.failed(at: now, using: &generator)
      watch.retry = Retry(
        due: now + delay, reason: failure.message,
        isFlapping: watch.schedule.isFlapping(at: now))
      watches[key] = watch
      log.info(
        "a kept device cannot be attached, trying again",
        metadata: name(key, delay).merging(["error": "\(failure.message)"]) { $1 })
    }
    await alarm.ring()
  }

  private func trySoon(_ key: String) async {
    guard let watch = watches[key], !watch.isTrying, !watch.isAttached,
      let retry = watch.retry, !retry.isFlapping, retry.due > .now
    else { return }
    watches[key]?.retry?.due = .now
    await alarm.ring()
  }

  private func name(_ key: String, _ delay: Duration) -> Logger.Metadata {
    [
      "device.name": "\(kept.entries[key]?.device.name ?? key)",
      "exporter.host": "\(kept.entries[key]?.device.exporter.host ?? "")",
      "seconds": "\((delay / .seconds(1)).rounded())",
    ]
  }
}
