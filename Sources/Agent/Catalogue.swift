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
  private let file: StateFile
  private let log: Logger
  private var numbers: DeviceNumbers
  private var remote = RemoteInventory()

  init(
    agent: String, hostName: String, port: UInt16, places: Places,
    inventory: SharedInventory<KernelExportDoor>, attachments: Attachments<KernelAttachDoor>,
    log: Logger
  ) {
    self.agent = agent
    self.hostName = hostName
    self.port = port
    self.inventory = inventory
    self.attachments = attachments
    self.log = log
    file = StateFile(path: places.numbers, limit: Message.maximumLength)
    numbers = Catalogue.read(file)
  }

  /// What a verb acts upon.
  enum Target: Sendable {
    case local(DeviceStatus)
    case remote(DeviceStatus, RemoteDevice)
  }

  /// Takes a device another machine announces.
  func found(_ device: RemoteDevice, source: String) {
    guard device.exporter.agent != agent else { return }
    if remote.found(device, source: source) {
      remember(device.key, name: device.name, host: device.exporter.host)
    }
  }

  /// Takes out what `source` announced.
  func lost(source: String, reason: String) {
    _ = remote.lost(source: source, reason: reason, now: .now)
  }

  /// Replaces all that an exporter without announcements has; `prefix` names it.
  func replace(prefix: String, devices: [RemoteDevice], missing reason: String) async {
    let held = await attachments.all()
    var gone = remote.sources(startingWith: prefix)
    for device in devices {
      let source = prefix + device.busID
      gone.remove(source)
      found(device, source: source)
    }
    for source in gone {
      // Stock usbipd does not list a device that is in use: ours is still there.
      let isOurs = held.values.contains { prefix + $0.device.busID == source }
      if !isOurs { lost(source: source, reason: reason) }
    }
  }

  /// All devices, by ID.
  func list() async -> [DeviceStatus] {
    await entries().map(\.status).sorted { $0.id < $1.id }
  }

  /// The device `selector` names; throws `AgentError`.
  func find(_ selector: String) async throws(AgentError) -> Target {
    let entries = await entries()
    let status: DeviceStatus
    do throws(AgentError) {
      status = try Selector.find(selector, in: entries.map(\.status))
    } catch {
      throw absence(selector) ?? error
    }
    guard let entry = entries.first(where: { $0.status.id == status.id }) else {
      return .local(status)
    }
    return target(entry)
  }

  /// All devices, each as a verb would act upon it.
  func targets() async -> [Target] { await entries().map(target) }

  private func target(_ entry: Entry) -> Target {
    guard let device = entry.remote else { return .local(entry.status) }
    return .remote(entry.status, device)
  }

  /// The status of the device `key` as it is now.
  func status(_ key: String) async -> DeviceStatus? {
    await entries().first { $0.key == key }?.status
  }

  /// A number that was given once, to a device nobody announces now.
  private func absence(_ selector: String) -> AgentError? {
    guard let id = Int(selector), let entry = numbers.entry(id: id)?.entry else { return nil }
    return AgentError(
      .unreachable, "\(id): \(entry.name) is OFFLINE: \(entry.host) does not announce it now",
      hint: "check that \(entry.host) is on and the device is plugged in, then: devconfig list")
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
    let keys = LocalKeys(agent: agent, devices: shared.map(\.device))
    let local = shared.map {
      Entry(key: keys[$0.device.busID], status: localStatus($0, keys, held), remote: nil)
    }
    let others = devices.values.map { device in
      Entry(key: device.key, status: remoteStatus(device, held[device.key]), remote: device)
    }
    return local + others
  }

  private func localStatus(
    _ shared: SharedDevice, _ keys: LocalKeys, _ held: [String: Attachment]
  ) -> DeviceStatus {
    let device = shared.device
    let owner = held.values.first { $0.localBusID == device.busID }?.device.exporter.host
    let id = remember(keys[device.busID], name: device.name, host: hostName)
    return DeviceStatus(
      id: id, name: device.name, host: hostName, address: "", port: port,
      busID: device.busID.description, vendorID: VendorProduct.hex(device.vendorProduct.vendor),
      productID: VendorProduct.hex(device.vendorProduct.product), serial: device.serial,
      localState: .detached, remoteState: shared.state, remoteUser: shared.user,
      reason: owner.map { "it came from \($0) over USB/IP" } ?? shared.denial?.reason,
      isLocal: true, isImported: device.isImported ? true : nil)
  }

  private func remoteStatus(_ device: RemoteDevice, _ attachment: Attachment?) -> DeviceStatus {
    let id = remember(device.key, name: device.name, host: device.exporter.host)
    var status = DeviceStatus(
      id: id, name: device.name, host: device.exporter.host,
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
  private func remember(_ key: String, name: String, host: String) -> Int {
    let (id, changed) = numbers.number(key, name: name, host: host)
    if changed { save() }
    return id
  }

  private func save() {
    do {
      try file.write(Array(try Message.encode(numbers).dropLast()))
    } catch {
      log.error(
        "the device numbers cannot be written, keeping them in memory",
        metadata: ["error": "\(error)"])
    }
  }

  private static func read(_ file: StateFile) -> DeviceNumbers {
    guard let bytes = (try? file.read()) ?? nil else { return DeviceNumbers() }
    return (try? Message.decode(DeviceNumbers.self, from: bytes)) ?? DeviceNumbers()
  }
}
