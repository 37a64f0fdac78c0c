// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI
internal import Attaching
internal import LinuxHost
internal import Logging
internal import SharePolicy
internal import Sharing
internal import SystemPackage
internal import USBModel

/// Everything `devconfig list` shows: devices of this machine and of the others, with their numbers.
actor Catalogue {
  private let agent: String
  private let hostName: String
  private let port: UInt16
  private let inventory: SharedInventory<KernelExportDoor>
  private let attachments: Attachments<KernelAttachDoor>
  private let kept: KeptAttachments<KernelAttachDoor>
  private let file: StateFile
  private let log: Logger
  private var numbers: DeviceNumbers
  private var remote = RemoteInventory()
  /// Writes the numbers down until what is written is what is known; one at a time.
  private var saving: Task<Void, Never>?
  private var isUnsaved = false

  init(
    agent: String, hostName: String, port: UInt16, places: Places,
    inventory: SharedInventory<KernelExportDoor>, attachments: Attachments<KernelAttachDoor>,
    kept: KeptAttachments<KernelAttachDoor>, log: Logger
  ) {
    self.agent = agent
    self.hostName = hostName
    self.port = port
    self.inventory = inventory
    self.attachments = attachments
    self.kept = kept
    self.log = log
    file = StateFile(path: places.numbers, limit: Message.maximumLength)
    numbers = file.record(DeviceNumbers.self) ?? DeviceNumbers()
  }

  /// What a verb acts upon.
  enum Target: Sendable {
    case local(DeviceStatus)
    case remote(DeviceStatus, RemoteDevice)
  }

  /// Takes a device another machine announces.
  func found(_ device: RemoteDevice, source: String) async {
    guard device.exporter.agent != agent else { return }
    // Its exporter found a second device with its serial and tells them apart by their places now.
    if let key = remote.key(announcedBy: source), device.isAnotherForm(of: key),
      numbers.move(from: key, to: device.key)
    {
      save()
    }
    let place = remote.device(device.key)?.busID
    let replaced = remote.key(announcedBy: source)
    if remote.found(device, source: source) {
      remember(device.key, name: device.name, host: device.exporter.host)
      if let replaced, replaced != device.key { await kept.withdrawn(replaced) }
      await kept.announced(device, isMoved: place.map { $0 != device.busID } ?? false)
    }
  }

  /// Takes out what `source` announced.
  func lost(source: String, reason: String) async {
    let key = remote.key(announcedBy: source)
    if remote.lost(source: source, reason: reason, now: .now), let key {
      await kept.withdrawn(key)
    }
  }

  /// Replaces all that an exporter without announcements has; `prefix` names it.
  func replace(prefix: String, devices: [RemoteDevice], missing reason: String) async {
    let held = await attachments.all()
    var gone = remote.sources(startingWith: prefix)
    for device in devices {
      let source = prefix + device.busID
      gone.remove(source)
      await found(device, source: source)
    }
    for source in gone {
      // Stock usbipd does not list a device that is in use: ours is still there.
      let isOurs = held.values.contains { prefix + $0.device.busID == source }
      if !isOurs { await lost(source: source, reason: reason) }
    }
  }

  /// All devices, by ID.
  func list() async -> [DeviceStatus] {
    await entries().map(\.status).sorted { $0.id < $1.id }
  }

  /// The device `selector` names; throws `AgentError`.
  func find(_ selector: String) async throws(AgentError) -> Target {
    target(try await entry(selector))
  }

  private func entry(_ selector: String) async throws(AgentError) -> Entry {
    let entries = await entries()
    do throws(AgentError) {
      let status = try Selector.find(selector, in: entries.map(\.status))
      guard let entry = entries.first(where: { $0.status.id == status.id }) else {
        throw AgentError(.unknownDevice, "the device \(selector) is gone")
      }
      return entry
    } catch {
      throw absence(selector) ?? error
    }
  }

  /// All devices, each as a verb would act upon it.
  func targets() async -> [Target] { await entries().map(target) }

  private func target(_ entry: Entry) -> Target {
    guard let device = entry.remote else { return .local(entry.status) }
    return .remote(entry.status, device)
  }

  /// How this machine uses the device that is attached as `key` at this moment.
  func uses(ofAttached key: String) async -> [LocalUse] {
    guard let busID = await attachments.attachment(key)?.localBusID else { return [] }
    return await inventory.uses(of: busID)
  }

  /// The status of the device `key` as it is now.
  func status(_ key: String) async -> DeviceStatus? {
    await entries().first { $0.key == key }?.status
  }

  /// Gives the device `selector` names a name, or takes it back with `nil`; it need not be there.
  ///
  /// Throws `AgentError`: as `find`, or where another device has the name.
  func give(_ name: GivenName?, to selector: String) async throws(AgentError) -> AgentCalls.Outcome
  {
    let entry = try await entry(selector)
    let changed = try numbers.give(name, to: entry.key)
    guard changed else { return AgentCalls.Outcome(device: entry.status, changed: false) }
    save()
    // What is plugged in here is announced by its name.
    if entry.status.isLocal { await inventory.announceAnew() }
    return AgentCalls.Outcome(device: await status(entry.key) ?? entry.status, changed: true)
  }

  /// What this machine's devices are known by: their keys, and the names given to them.
  func identities(of devices: [SharedDevice]) -> (keys: LocalKeys, names: [BusID: GivenName]) {
    let keys = localKeys(devices)
    var names: [BusID: GivenName] = [:]
    for shared in devices {
      names[shared.device.busID] = numbers.given(keys[shared.device.busID])
    }
    return (keys, names)
  }

  private func localKeys(_ devices: [SharedDevice]) -> LocalKeys {
    var keeping: Set<BusID> = []
    for (identity, twins) in Dictionary(grouping: devices, by: \.device.identity)
    where twins.count > 1 {
      let key = LocalKeys.key(agent: agent, identity: identity)
      // The one that was known by the serial keeps its number.
      let heir = twins.first { $0.device.busID.description == numbers.place(key) }
      if let heir, heir.state == .inUse {
        // Its importer knows it by the serial until it gives it back.
        keeping.insert(heir.device.busID)
        continue
      }
      // From now on they are told apart by their places, also when one of them is alone.
      let changed = numbers.split(
        key, heir: heir.map { LocalKeys.key(agent: agent, identity: $0.device.placeIdentity) })
      if changed { save() }
    }
    return LocalKeys(
      agent: agent, devices: devices.map(\.device), keeping: keeping,
      isAmbiguous: numbers.isAmbiguous)
  }

  /// A device that was numbered or named once, and nobody announces now.
  private func absence(_ selector: String) -> AgentError? {
    let absent =
      Int(selector).flatMap { numbers.entry(id: $0)?.entry } ?? numbers.entry(given: selector)
    guard let absent else { return nil }
    let name = absent.given?.description ?? absent.name
    return AgentError(
      .unreachable, "\(absent.id): \(name) is OFFLINE: \(absent.host) does not announce it now",
      hint: "check that \(absent.host) is on and the device is plugged in, then: devconfig list")
  }

  private struct Entry {
    var key: String
    var status: DeviceStatus
    var remote: RemoteDevice?
  }

  private func entries() async -> [Entry] {
    remote.expire(now: .now)
    let shared = await inventory.devices()
    let held = await attachments.all()
    var devices: [String: RemoteDevice] = [:]
    for device in remote.devices { devices[device.key] = device }
    // What is attached here stays listed even when its exporter fell silent.
    for (key, attachment) in held where devices[key] == nil { devices[key] = attachment.device }
    let keeping = await kept.devices
    let retries = await kept.retries
    let isSleeping = await kept.isSleeping
    for (key, entry) in keeping.entries where devices[key] == nil {
      devices[key] = entry.device.offline(RemoteDevice.notAnnounced)
    }
    let keys = localKeys(shared)
    let local = shared.map {
      Entry(key: keys[$0.device.busID], status: localStatus($0, keys, held), remote: nil)
    }
    let others = devices.values.map { device in
      var status = remoteStatus(device, held[device.key])
      if let entry = keeping.entries[device.key] {
        status.showKept(
          entry, standIn: entry.standIn.flatMap { held[$0.key]?.state }, retry: retries[device.key],
          isSleeping: isSleeping)
      } else if let owner = keeping.owner(of: device.key), let entry = keeping.entries[owner] {
        let id = remember(owner, name: entry.device.name, host: entry.device.exporter.host)
        status.showStandIn(for: id, named: numbers.given(owner)?.description ?? entry.device.name)
      }
      return Entry(key: device.key, status: status, remote: device)
    }
    // A number that was shown is the same after a crash.
    await saving?.value
    return local + others
  }

  private func localStatus(
    _ shared: SharedDevice, _ keys: LocalKeys, _ held: [String: Attachment]
  ) -> DeviceStatus {
    let device = shared.device
    let owner = held.values.first { $0.localBusID == device.busID }?.device.exporter.host
    let id = remember(
      keys[device.busID], name: device.name, host: hostName, place: device.busID.description)
    let given = numbers.given(keys[device.busID])?.description
    return DeviceStatus(
      id: id, name: given ?? device.name, deviceName: given.map { _ in device.name },
      host: hostName, address: "", port: port,
      busID: device.busID.description, vendorID: VendorProduct.hex(device.vendorProduct.vendor),
      productID: VendorProduct.hex(device.vendorProduct.product), serial: device.serial,
      localState: .detached, remoteState: shared.state, remoteUser: shared.user,
      reason: owner.map { "it came from \($0) over USB/IP" } ?? shared.denial?.reason,
      rule: device.isImported ? nil : shared.basis, isLocal: true,
      isImported: device.isImported ? true : nil)
  }

  private func remoteStatus(_ device: RemoteDevice, _ attachment: Attachment?) -> DeviceStatus {
    let id = remember(device.key, name: device.name, host: device.exporter.host)
    let given = numbers.given(device.key)?.description
    var status = DeviceStatus(
      id: id, name: given ?? device.name, deviceName: given.map { _ in device.name },
      host: device.exporter.host,
      address: device.exporter.addresses.first ?? "", port: device.exporter.port,
      busID: device.busID, vendorID: device.vendorID, productID: device.productID,
      serial: device.serial, localState: attachment?.state ?? .detached,
      remoteState: device.state, remoteUser: device.user, reason: device.reason,
      nodes: attachment?.nodes ?? [], isLocal: false)
    if let attachment, attachment.state == .attached || attachment.state == .detaching {
      // What this machine holds it knows better than any announcement.
      status.remoteState = .inUse
      status.remoteUser = attachment.user
      status.reason = nil
    }
    return status
  }

  @discardableResult
  private func remember(_ key: String, name: String, host: String, place: String? = nil) -> Int {
    let (id, changed) = numbers.number(key, name: name, host: host, place: place)
    if changed { save() }
    return id
  }

  /// Has the numbers written down soon; however many change meanwhile, they are written once.
  private func save() {
    isUnsaved = true
    // Owned by this actor, which awaits it before it shows a number.
    if saving == nil { saving = Task { await writeDown() } }
  }

  private func writeDown() async {
    while isUnsaved {
      isUnsaved = false
      let failure = await file.save(numbers, "device numbers")
      guard let failure else { continue }
      log.error(
        "the device numbers cannot be written, keeping them in memory",
        metadata: ["error": "\(failure)"])
    }
    saving = nil
  }
}
