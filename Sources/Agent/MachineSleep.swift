// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI
internal import Attaching
internal import Logging
internal import Sharing

/// What the agent does when its machine sleeps: it gives everything back before, and takes up afterwards what is kept.
///
/// The kernel does not suspend a machine with a device on a port of vhci_hcd (drivers/usb/usbip/vhci_hcd.c,
/// vhci_hcd_suspend), and a machine that is suspended answers nobody who has its devices.
actor MachineSleep {
  /// How long giving everything back may take before the machine sleeps all the same.
  static let patience = Duration.seconds(30)
  /// How long a machine that was about to sleep may run on before it counts as awake.
  static let falseAlarm = Duration.seconds(120)

  private let inventory: SharedInventory<KernelExportDoor>
  private let attachments: Attachments<KernelAttachDoor>
  private let kept: KeptAttachments<KernelAttachDoor>
  private let catalogue: Catalogue
  private let log: Logger
  /// What runs only while the machine is awake.
  private var works: [Int: Task<Void, Never>] = [:]
  private var nextWork = 0
  private var guardian: Task<Void, Never>?
  private let wake: AsyncStream<Void>.Continuation

  /// True from `begin` to `end`.
  private(set) var isAsleep = false
  /// Fires after each `end`; for one reader.
  nonisolated let wakes: AsyncStream<Void>

  init(
    inventory: SharedInventory<KernelExportDoor>, attachments: Attachments<KernelAttachDoor>,
    kept: KeptAttachments<KernelAttachDoor>, catalogue: Catalogue, log: Logger
  ) {
    self.inventory = inventory
    self.attachments = attachments
    self.kept = kept
    self.catalogue = catalogue
    self.log = log
    (wakes, wake) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
  }

  /// Runs `body`, which ends soon after it is cancelled, unless the machine is about to sleep; cancels it
  /// when it is.
  func whileAwake(_ body: @escaping @Sendable () async -> Void) async {
    guard !isAsleep else { return }
    nextWork += 1
    let number = nextWork
    // Owned by this actor, and ends before this call does.
    let work = Task { await body() }
    works[number] = work
    await withTaskCancellationHandler {
      await work.value
    } onCancel: {
      work.cancel()
    }
    works[number] = nil
  }

  /// Gives everything back before the machine sleeps; returns what the kernel would not sleep with, in words.
  func begin() async -> [String] {
    guard !isAsleep else { return [] }
    isAsleep = true
    log.notice("this machine is about to sleep, giving everything back")
    watchForFalseAlarm()
    // Announced no more; see AgentService.
    await inventory.announceAnew()
    await kept.sleep()
    for work in works.values { work.cancel() }
    let (ends, end) = AsyncStream.makeStream(of: Void.self)
    // Both end by themselves; what hangs in the first is left behind, for the machine must sleep.
    Task {
      await giveBack()
      end.yield()
    }
    let limit = Task {
      try await Task.sleep(for: MachineSleep.patience)
      end.yield()
    }
    for await _ in ends { break }
    limit.cancel()
    return await attachments.all().values.map {
      "\($0.device.name) on \($0.device.exporter.host) is attached still"
    }
  }

  /// The machine is awake again: shares, and attaches what is kept.
  func end() async {
    guard isAsleep else { return }
    isAsleep = false
    guardian?.cancel()
    guardian = nil
    log.notice("this machine is awake again")
    wake.yield()
    await inventory.announceAnew()
    await kept.wake()
  }

  private func giveBack() async {
    await withDiscardingTaskGroup { group in
      for work in works.values { group.addTask { await work.value } }
      for (key, attachment) in await attachments.all() {
        group.addTask { await self.detach(key, attachment) }
      }
      group.addTask { await self.kept.settle() }
    }
    // What a try had begun by then.
    for (key, attachment) in await attachments.all() { await detach(key, attachment) }
  }

  private func detach(_ key: String, _ attachment: Attachment) async {
    let metadata: Logger.Metadata = [
      "device.name": "\(attachment.device.name)",
      "exporter.host": "\(attachment.device.exporter.host)",
    ]
    let uses = await catalogue.uses(ofAttached: key)
    let storage = StorageSafety(name: attachment.device.name, id: 0)
    if let node = storage.swap(in: uses) {
      // Programs would die of it, while not sleeping harms none.
      return log.error(
        "an attached disk is swap space, leaving it: the kernel will not sleep",
        metadata: metadata.adding("device.node", node))
    }
    for note in await storage.synchronize(uses) {
      log.warning(
        "an attached disk in use is taken away, since this machine sleeps",
        metadata: metadata.adding("outcome", note))
    }
    do throws(AgentError) {
      _ = try await attachments.down(key)
    } catch {
      log.error(
        "a device cannot be detached before this machine sleeps, ignoring",
        metadata: metadata.adding("error", error.message))
    }
  }

  /// Sleeping may fail or be forbidden after it was told: then nobody says that it is over.
  private func watchForFalseAlarm() {
    guardian = Task {
      // A clock that stands still while the machine sleeps.
      try? await Task.sleep(until: .now + MachineSleep.falseAlarm, clock: .suspending)
      guard !Task.isCancelled else { return }
      log.warning(
        "this machine did not sleep, or nobody told that it is awake, going on",
        metadata: ["seconds": "\(MachineSleep.falseAlarm.components.seconds)"])
      await end()
    }
  }
}
