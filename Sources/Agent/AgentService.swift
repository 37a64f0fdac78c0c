// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI
internal import Attaching
internal import Discovery
private import Glibc
internal import Hotplug
internal import LinuxHost
internal import Logging
internal import ServiceLifecycle
internal import SharePolicy
internal import Sharing
internal import SystemPackage
internal import Systemd
internal import USBModel
internal import UnixSignals

/// The agent: puts doors, services and harnesses together and runs them until it is told to stop.
struct AgentService: Service, CustomStringConvertible {
  /// What the service group calls it in its messages.
  var description: String { "devconfigd" }

  let places: Places
  let configuration: Configuration
  let identity: AgentIdentity
  let log: Logger

  private let notice = ServiceNotice()
  private let adoption: Adoption
  private let inherited: InheritedDescriptors
  private let inventory: SharedInventory<KernelExportDoor>
  private let exports: LiveExports
  private let sessions: SessionHost
  private let sequences: SequenceWatch
  private let attachments: Attachments<KernelAttachDoor>
  private let kept: KeptAttachments<KernelAttachDoor>
  private let catalogue: Catalogue
  private let policy: PolicySource
  private let sleep: MachineSleep
  private let logouts: LogoutWatch<KernelAttachDoor>
  private let giving: GivingBack<KernelAttachDoor>
  /// Asks for a look at how this machine uses its devices; a burst of wishes is one look.
  private let looks: AsyncStream<Void>
  private let look: AsyncStream<Void>.Continuation

  init(
    places: Places, configuration: Configuration, identity: AgentIdentity,
    confinement: SessionConfinement, inherited: InheritedDescriptors, renewal: UInt64,
    log: Logger
  ) {
    self.places = places
    self.configuration = configuration
    self.identity = identity
    self.log = log
    self.inherited = inherited
    (looks, look) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    let undo = UndoFile(path: places.undo)
    let attached = AttachedFile(path: places.attached)
    let held = HeldSessions(
      notice: notice, record: RecordFile(path: places.held, empty: [:]), log: log)
    let exportDoor = KernelExportDoor(places: places)
    inventory = SharedInventory(
      door: exportDoor,
      policy: SharePolicy(rules: configuration.rules), undo: undo, log: log)
    policy = PolicySource(
      path: places.configuration, started: configuration, inventory: inventory, log: log)
    exports = LiveExports(held: held)
    sessions = SessionHost(
      executable: places.session, confinement: confinement, inventory: inventory, exports: exports,
      hostName: identity.host, port: configuration.port, log: log)
    sequences = SequenceWatch(places: places, renewal: renewal, log: log)
    attachments = Attachments(
      door: KernelAttachDoor(places: places, sessions: sessions, sequences: sequences), undo: undo,
      book: attached, log: log)
    adoption = Adoption(
      places: places, undo: undo, attached: attached, held: held, door: exportDoor,
      sessions: sessions, attachments: attachments, log: log)
    kept = KeptAttachments(
      attachments: attachments, book: KeptFile(path: places.kept), log: log)
    catalogue = Catalogue(
      agent: identity.agent, hostName: identity.host, port: configuration.port, places: places,
      inventory: inventory, attachments: attachments, kept: kept, log: log)
    sleep = MachineSleep(
      inventory: inventory, attachments: attachments, kept: kept, catalogue: catalogue, log: log)
    logouts = LogoutWatch(
      attachments: attachments, kept: kept, isThere: Seats().have,
      check: { [catalogue] key, attachment throws(AgentError) in
        let id = await catalogue.status(key)?.id ?? 0
        try StorageSafety(name: attachment.device.name, id: id)
          .check(await catalogue.uses(ofAttached: key), force: false)
      }, log: log)
    giving = GivingBack(
      attachments: attachments,
      release: { [catalogue] key, attachment, force throws(AgentError) in
        try await StorageSafety(name: attachment.device.name, id: 0, place: identity.host)
          .release(await catalogue.uses(ofAttached: key), force: force)
      }, log: log)
  }

  func run() async throws {
    let adopted = await adoption.run(inherited.take())
    if let weakness = sessions.confinement.weakness {
      log.warning(
        "sessions keep the agent's user",
        metadata: ["reason": "\(weakness.reason)", "hint": "\(weakness.hint)"])
    }
    await kept.load()
    let listener = try LocalListener(path: places.socket, mode: 0o666)
    let hotplug = try HotplugSource(places: places)
    let directory = try ServiceDirectory()
    let changes = try HostChanges(procfs: places.procfs)
    let hangups = await UnixSignalsSequence(trapping: .sighup)
    await withDiscardingTaskGroup { group in
      for (session, number) in adopted {
        group.addTask { await sleep.whileAwake { await sessions.follow(session, number) } }
      }
      group.addTask { await followHotplug(hotplug) }
      group.addTask { await followDiscovery(directory) }
      group.addTask { await publish(on: directory) }
      group.addTask { await refreshInventory(changes) }
      group.addTask { await serveLocal(listener) }
      // Opened before the agent says that it is ready.
      let port = NetworkPort(
        number: configuration.port, inventory: inventory, sessions: sessions, sleep: sleep,
        giving: giving, log: log
      )
      let first = await port.open()
      group.addTask { await port.serve(first) }
      group.addTask {
        await ForeignPeers(
          peers: configuration.peers, sessions: sessions, catalogue: catalogue, log: log
        ).run()
      }
      group.addTask { await feedWatchdog() }
      group.addTask { await kept.run() }
      group.addTask { await sequences.run() }
      group.addTask { await logouts.run() }
      group.addTask {
        for await _ in hangups { await policy.reload() }
      }
      await hotplug.listed()
      log.notice("the agent is ready", metadata: ["version": "\(Product.version)"])
      notice.ready(status: "sharing this machine's USB devices")

      try? await gracefulShutdown()
      notice.stopping()
      let isRestart = await BlockingWork.run("service-job") { ServiceJob.isRestart() }
      listener.close()
      await kept.stop()
      if isRestart {
        await attachments.settle()
        log.notice("the agent restarts and leaves devices with their users")
        // An orderly end would end the sessions: the next agent finds all this as after a crash.
        _exit(0)
      }
      log.notice("the agent stops and gives everything back")
      directory.publish([])
      await attachments.detachAll()
      // Cancelling ends the sessions; each gives its device back before its task ends.
      group.cancelAll()
    }
    directory.stop()
    hotplug.stop()
    changes.stop()
  }

  private func followHotplug(_ hotplug: HotplugSource) async {
    for await event in hotplug.events {
      switch event {
      case .added(let device), .changed(let device):
        await inventory.update(device)
        look.yield()
        if device.isImported { await attachments.localDevicesChanged() }
      case .removed(let busID):
        await inventory.remove(busID)
        await attachments.localDevicesChanged()
      case .childChanged:
        await attachments.localDevicesChanged()
        look.yield()
      case .skipped(let path, let flaw):
        log.warning(
          "a device says what cannot be understood, ignoring it",
          metadata: ["device.path": "\(path)", "reason": "\(flaw)"])
      case .listed:
        await hotplug.markListed()
        await attachments.localDevicesChanged()
        look.yield()
      }
    }
  }

  private func followDiscovery(_ directory: ServiceDirectory) async {
    for await event in directory.events {
      switch event {
      case .found(let announcement):
        if let device = Publication.remote(announcement) {
          await catalogue.found(device, source: announcement.instance)
        } else if case .failure(let flaw)? = announcement.record {
          log.warning(
            "an announcement is malformed, ignoring it",
            metadata: ["instance": "\(announcement.displayName)", "reason": "\(flaw)"])
        }
      case .lost(let instance):
        await catalogue.lost(source: instance, reason: RemoteDevice.notAnnounced)
      case .available:
        log.info("avahi-daemon is there")
      case .unavailable(let reason):
        log.warning(
          "avahi-daemon is not there, waiting for it: other machines do not see this one",
          metadata: ["reason": "\(reason)"])
      case .publishingFailed(let busID, let reason):
        log.warning(
          "a device cannot be announced, trying again",
          metadata: ["device.busid": "\(busID)", "reason": "\(reason)"])
      }
    }
  }

  private func publish(on directory: ServiceDirectory) async {
    for await _ in inventory.changes {
      // Who sleeps is not there.
      let devices = await sleep.isAsleep ? [] : inventory.devices()
      let (keys, names) = await catalogue.identities(of: devices)
      directory.publish(
        Publication.announcements(
          devices, keys: keys, names: names, agent: identity.agent, port: configuration.port))
    }
  }

  private func refreshInventory(_ changes: HostChanges) async {
    await withDiscardingTaskGroup { group in
      group.addTask {
        for await _ in looks { await inventory.refresh() }
      }
      group.addTask {
        for await _ in changes.changes { look.yield() }
      }
      group.addTask {
        while !Task.isCancelled {
          try? await Task.sleep(for: AgentService.refreshInterval)
          look.yield()
        }
      }
    }
  }

  private func serveLocal(_ listener: LocalListener) async {
    let harness = LocalHarness(
      catalogue: catalogue, attachments: attachments, kept: kept, exports: exports,
      policy: policy, sequences: sequences, sleep: sleep,
      taking: TakingBack(
        agent: identity.agent, inventory: inventory, exports: exports, sessions: sessions, log: log),
      about: AgentCalls.AboutResults(
        version: Product.version, host: identity.host, agent: identity.agent,
        configuration: places.configuration.string), log: log)
    let gate = Gate(
      limit: AgentService.maximumLocalConnections,
      perKey: AgentService.maximumLocalConnectionsPerUser)
    await withDiscardingTaskGroup { group in
      for await connection in listener.connections {
        let user = "\(connection.peer.uid)"
        guard gate.enter(user) else {
          connection.close()
          continue
        }
        group.addTask {
          await harness.serve(connection)
          gate.leave(user)
        }
      }
    }
  }

  private func feedWatchdog() async {
    guard let interval = notice.watchdogInterval else { return }
    while !Task.isCancelled {
      // Asked through the actors people's calls go through: a stuck one starves the watchdog.
      let devices = await catalogue.list()
      notice.watchdog()
      let used = devices.count { $0.remoteState == .inUse }
      notice.status("\(devices.count) devices, \(used) in use")
      try? await Task.sleep(for: interval / 3)
    }
  }
}
