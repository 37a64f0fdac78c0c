// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

public import AgentAPI
public import Logging
public import SharePolicy
public import USBModel

/// Names one session process for as long as this agent runs.
public struct SessionNumber: Sendable, Hashable {
  /// Counted from 1.
  public let value: UInt64
  /// Takes the count.
  public init(_ value: UInt64) { self.value = value }
}

/// The devices of this machine: which there are, which are shared, who holds which.
///
/// Holding is decided here and nowhere else, before anything is awaited, so that of two importers at
/// the same moment one gets the device and the other reads the first one's name.
public actor SharedInventory<Door: ExportDoor> {
  private enum Holding {
    case free
    case claiming(SessionNumber, RemoteUser)
    case held(SessionNumber, RemoteUser)
    case returning(RemoteUser)
  }

  private struct Entry {
    var device: Device
    var uses: [LocalUse] = []
    var holding = Holding.free
    var isPresent = true
    /// True where an agent before this one gave it away, until it is listed.
    var isAdopted = false
  }

  private let door: Door
  private var policy: SharePolicy
  private let undo: any UndoBook
  private let log: Logger
  private var entries: [BusID: Entry] = [:]
  private var suspension: String?
  private let changeSignal: AsyncStream<Void>.Continuation

  /// Fires after every change of a state; several changes may come as one.
  public nonisolated let changes: AsyncStream<Void>

  /// Starts with no device.
  public init(door: Door, policy: SharePolicy, undo: any UndoBook, log: Logger) {
    self.door = door
    self.policy = policy
    self.undo = undo
    self.log = log
    (changes, changeSignal) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
  }

  /// Takes a device that appeared or changed; the same call serves the first listing.
  ///
  /// Call `refresh` after changes: how the machine uses the device may have changed with it.
  public func update(_ device: Device) async {
    guard entries.count < Self.maximumDevices || entries[device.busID] != nil else {
      log.warning("more devices than can be kept, ignoring one", metadata: Self.name(device))
      return
    }
    if var entry = entries[device.busID] {
      // Its uses are looked at by the next `refresh`, which the caller owes after a burst of changes.
      // While a session holds it, its interfaces show no drivers and its strings may read empty:
      // keep what was known of it when it was free. A device that came back is another one.
      if case .free = entry.holding { entry.device = device }
      if !entry.isPresent, !entry.isAdopted { entry.device = device }
      entry.isPresent = true
      entry.isAdopted = false
      entries[device.busID] = entry
      changeSignal.yield()
    } else {
      // Known to nobody before its uses are: a mounted disk is never offered, not for a moment.
      let uses = await door.uses(of: [device])[device.busID] ?? []
      guard entries[device.busID] == nil else { return await update(device) }
      entries[device.busID] = Entry(device: device, uses: uses)
      log.info("a device is here", metadata: Self.name(device))
      changeSignal.yield()
    }
  }

  /// Goes on with a device that an agent before this one gave to a session, until `release`.
  ///
  /// `device` is as it was before that. It counts as here once `update` brings it.
  public func adopt(_ device: Device, for user: RemoteUser, session: SessionNumber) {
    entries[device.busID] = Entry(
      device: device, holding: .held(session, user), isPresent: false, isAdopted: true)
  }

  /// Takes a device out that was unplugged; a session that holds it ends by itself.
  public func remove(_ busID: BusID) {
    guard var entry = entries[busID] else { return }
    if case .free = entry.holding {
      entries[busID] = nil
    } else {
      entry.isPresent = false
      entries[busID] = entry
    }
    log.info("a device is gone", metadata: Self.name(entry.device))
    changeSignal.yield()
  }

  /// Looks again at how this machine uses its devices.
  public func refresh() async {
    await refresh(Array(entries.keys))
  }

  /// Goes by another policy from now on; who has a device keeps it.
  public func follow(_ policy: SharePolicy) {
    guard policy != self.policy else { return }
    self.policy = policy
    changeSignal.yield()
  }

  /// Has everything announced once more: what it is called has changed.
  public func announceAnew() {
    changeSignal.yield()
  }

  /// How this machine uses the device at `busID` at this moment; none where there is no such device.
  public func uses(of busID: BusID) async -> [LocalUse] {
    guard let device = entries[busID]?.device else { return [] }
    return await door.uses(of: [device])[busID] ?? []
  }

  /// True until the device at `busID` is back from `session`, with its drivers.
  public func isHeld(_ busID: BusID, by session: SessionNumber) -> Bool {
    switch entries[busID]?.holding {
    case .claiming(session, _), .held(session, _), .returning: true
    default: false
    }
  }

  /// Stops sharing with a reason people read, or starts again with `nil`.
  public func suspend(_ reason: String?) {
    guard suspension != reason else { return }
    suspension = reason
    changeSignal.yield()
  }

  private func refresh(_ busIDs: [BusID]) async {
    let free = busIDs.compactMap { busID -> Device? in
      guard let entry = entries[busID], case .free = entry.holding else { return nil }
      return entry.device
    }
    guard !free.isEmpty else { return }
    let uses = await door.uses(of: free)
    var changed = false
    for device in free {
      guard var entry = entries[device.busID], case .free = entry.holding else { continue }
      let now = uses[device.busID] ?? []
      guard entry.uses != now else { continue }
      entry.uses = now
      entries[device.busID] = entry
      changed = true
    }
    if changed { changeSignal.yield() }
  }

  /// All devices and their states, by bus ID.
  public func devices() -> [SharedDevice] {
    entries.values.filter(\.isPresent).map { view($0) }.sorted {
      ($0.device.busNumber, $0.device.busID.description)
        < ($1.device.busNumber, $1.device.busID.description)
    }
  }

  /// The device as `requester` may have it, or anybody at all.
  private func view(_ entry: Entry, for requester: Requester? = nil) -> SharedDevice {
    let judgement = policy.judge(entry.device, uses: entry.uses, for: requester)
    switch entry.holding {
    case .claiming(_, let user), .held(_, let user), .returning(let user):
      return SharedDevice(
        device: entry.device, state: .inUse, user: user, denial: nil, basis: judgement.basis)
    case .free:
      var denial = judgement.denial
      if denial == nil, let suspension { denial = Denial(suspension) }
      return SharedDevice(
        device: entry.device, state: denial == nil ? .available : .denied, user: .nobody,
        denial: denial, basis: judgement.basis)
    }
  }

  /// Gives `busID` to a session on behalf of `user`.
  ///
  /// Throws `AgentError`: `unknownDevice`, `inUse` naming the holder, `denied` with the reason, or
  /// what the kernel said. The claim ends with the session: call `release` when it has.
  public func acquire(
    _ busID: BusID, for user: RemoteUser, session: SessionNumber
  ) async throws(AgentError) -> (device: Device, claim: Door.Claim) {
    let requester = Requester(user)
    try checkFree(busID, for: requester)
    // What was true at the last look may have changed: a disk is mounted without an event to us.
    await refresh([busID])
    let device = try checkFree(busID, for: requester)
    entries[busID]?.holding = .claiming(session, user)
    changeSignal.yield()
    do throws(AgentError) {
      try await undo.change { $0.claimed.insert(busID) }
    } catch {
      // Nothing was taken: its drivers have it and must not even see a reset.
      await free(busID)
      throw error
    }
    var claim: Door.Claim?
    do throws(AgentError) {
      claim = try await door.claim(device)
    } catch {
      await returnToKernel(busID)
      throw error
    }
    guard case .claiming(session, _) = entries[busID]?.holding, let claimed = claim.take() else {
      // The session ended meanwhile; `release` saw the claim unfinished and left it to us. The claim
      // goes first: while it lives, no driver can have the device.
      claim = nil
      await returnToKernel(busID)
      throw AgentError(.failed, "the session ended before \(device.name) was ready")
    }
    entries[busID]?.holding = .held(session, user)
    log.notice(
      "a device is in use",
      metadata: Self.name(device).merging(["remote.user": "\(user)"]) { $1 })
    changeSignal.yield()
    return (device, claimed)
  }

  @discardableResult
  private func checkFree(
    _ busID: BusID, for requester: Requester
  ) throws(AgentError) -> Device {
    guard let entry = entries[busID], entry.isPresent else {
      throw AgentError(.unknownDevice, "there is no device \(busID) here")
    }
    let shared = view(entry, for: requester)
    switch shared.state {
    case .inUse:
      throw AgentError(.inUse, "\(entry.device.name) is in use by \(shared.user)")
    case .denied, .offline:
      throw AgentError(
        .denied, "\(entry.device.name) is not shared: \(shared.denial?.reason ?? "denied")")
    case .available:
      return entry.device
    }
  }

  /// Takes back whatever `session` holds, after its process has ended; harmless when it holds nothing.
  public func release(session: SessionNumber) async {
    for (busID, entry) in entries {
      switch entry.holding {
      case .held(session, let user):
        entries[busID]?.holding = .returning(user)
        await returnToKernel(busID)
        log.notice("a device is free again", metadata: Self.name(entry.device))
      case .claiming(session, let user):
        // `acquire` is still waiting for the kernel and returns the device when it wakes.
        entries[busID]?.holding = .returning(user)
      default:
        continue
      }
    }
  }

  private func returnToKernel(_ busID: BusID) async {
    // One that was unplugged too: what keeps the kernel's drivers away from its port must go.
    let device = entries[busID].flatMap { $0.isPresent ? $0.device : nil }
    guard await door.giveBack(busID, configuration: device?.configurationValue) else {
      // It stays recorded: the next start of the agent tries again.
      log.error(
        "a device is still held after its session ended, leaving it without drivers",
        metadata: ["device.busid": "\(busID)"])
      return await free(busID)
    }
    do throws(AgentError) {
      try await undo.change { $0.claimed.remove(busID) }
    } catch {
      log.warning("the undo record cannot be written, ignoring", metadata: ["error": "\(error)"])
    }
    await free(busID)
  }

  private func free(_ busID: BusID) async {
    if entries[busID]?.isPresent == true {
      entries[busID]?.holding = .free
      await refresh([busID])
    } else {
      entries[busID] = nil
    }
    changeSignal.yield()
  }

  /// The most devices kept; more than the kernel can address on all its buses.
  private static var maximumDevices: Int { 4096 }

  private static func name(_ device: Device) -> Logger.Metadata {
    ["device.busid": "\(device.busID)", "device.name": "\(device.name)"]
  }
}
