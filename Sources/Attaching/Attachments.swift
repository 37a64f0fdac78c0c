// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

public import AgentAPI
public import Logging
internal import USBModel

/// The devices of other machines that this machine has attached, is attaching or detaching.
///
/// One verb at a time per device: a second `up` waits for the first and gets its answer.
public actor Attachments<Door: AttachDoor> {
  private let door: Door
  private let undo: any UndoBook
  private let book: any AttachmentBook
  private let log: Logger
  private let timing: AttachTiming
  private var attachments: [String: Attachment] = [:]
  private var running: [String: Task<Outcome, Never>] = [:]
  private let localChange = Alarm()
  private var chosenPorts: Set<Int> = []
  private let changeSignal: AsyncStream<Void>.Continuation

  private typealias Outcome = Result<Bool, AgentError>

  /// Fires after every change of a state; several changes may come as one.
  public nonisolated let changes: AsyncStream<Void>

  /// Starts with nothing attached.
  public init(
    door: Door, undo: any UndoBook, book: any AttachmentBook,
    timing: AttachTiming = AttachTiming(), log: Logger
  ) {
    self.door = door
    self.undo = undo
    self.book = book
    self.timing = timing
    self.log = log
    (changes, changeSignal) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
  }

  /// The attachment of the device `key`, if there is one.
  public func attachment(_ key: String) -> Attachment? { attachments[key] }

  /// All attachments by key.
  public func all() -> [String: Attachment] { attachments }

  /// Attaches `device` and returns when it is usable; false where it was attached already.
  ///
  /// Throws `AgentError` with everything undone.
  public func up(_ device: RemoteDevice, as user: RemoteUser) async throws(AgentError) -> Bool {
    try await alone(device.key) { attachments in
      await attachments.attach(device, as: user)
    }
  }

  /// Detaches the device `key`; false where it was not attached.
  public func down(_ key: String) async throws(AgentError) -> Bool {
    try await alone(key) { attachments in
      await attachments.detach(key)
    }
  }

  /// Detaches everything, for a clean stop.
  public func detachAll() async {
    for (key, attachment) in attachments {
      do throws(AgentError) {
        _ = try await down(key)
      } catch {
        log.error(
          "a device cannot be detached, ignoring",
          metadata: ["device.name": "\(attachment.device.name)", "error": "\(error.message)"])
      }
    }
  }

  /// Goes on with what an agent before this one attached, where the kernel still has it.
  ///
  /// `left` is what that agent wrote down, by port, and `recorded` the ports it had to undo: another one
  /// was given back since, and what is on it now is somebody else's. Returns the ports gone on with.
  public func adopt(_ left: [Int: AttachedDevice], among recorded: Set<Int>) async -> Set<Int> {
    var adopted: Set<Int> = []
    for (port, old) in left {
      let seen = await door.observe(port: port)
      guard let seen, recorded.contains(port), seen.busID == old.localBusID,
        seen.deviceID == old.deviceID,
        attachments[old.device.key] == nil
      else {
        await note(nil, port: port)
        continue
      }
      chosenPorts.insert(port)
      attachments[old.device.key] = Attachment(
        state: .attached, port: port, user: old.user, nodes: seen.nodes, localBusID: seen.busID,
        device: old.device)
      adopted.insert(port)
    }
    if !adopted.isEmpty { changeSignal.yield() }
    return adopted
  }

  /// Returns when no verb is under way.
  public func settle() async {
    while let task = running.values.first { _ = await task.value }
  }

  /// Says that something changed among this machine's own USB devices: look again.
  public func localDevicesChanged() async {
    await localChange.ring()
    for (key, attachment) in attachments where attachment.state == .attached {
      guard let port = attachment.port else { continue }
      if await !door.isUsed(port: port), attachments[key]?.state == .attached {
        log.warning(
          "an attached device is gone",
          metadata: [
            "device.name": "\(attachment.device.name)",
            "exporter.host": "\(attachment.device.exporter.host)",
          ])
        await forget(key, port: port)
      } else if let seen = await door.observe(port: port), seen.nodes != attachment.nodes,
        attachments[key]?.state == .attached
      {
        attachments[key]?.nodes = seen.nodes
        changeSignal.yield()
      }
    }
  }

  private func alone(
    _ key: String, _ work: @escaping @Sendable (Attachments<Door>) async -> Result<Bool, AgentError>
  ) async throws(AgentError) -> Bool {
    let before = running[key]
    // Owned by this actor and awaited right here: it ends before this call does, even where the
    // caller is cancelled, so that no verb stops half way. Each verb waits for the one before it.
    let task = Task {
      _ = await before?.value
      return await work(self)
    }
    running[key] = task
    let result = await task.value
    if running[key] == task { running[key] = nil }
    return try result.get()
  }

  private func attach(_ device: RemoteDevice, as user: RemoteUser) async -> Outcome {
    if attachments[device.key] != nil { return .success(false) }
    attachments[device.key] = Attachment(
      state: .attaching, port: nil, user: user, nodes: [], device: device)
    changeSignal.yield()
    do throws(AgentError) {
      let (imported, socket) = try await door.importDevice(
        device, as: user)
      let port = try await handOver(imported, socket, key: device.key)
      attachments[device.key]?.port = port
      changeSignal.yield()
      do throws(AgentError) {
        let seen = try await waitUntilUsable(device, port: port)
        attachments[device.key]?.nodes = seen.nodes
        attachments[device.key]?.localBusID = seen.busID
        attachments[device.key]?.state = .attached
        await note(
          AttachedDevice(
            device: device, user: user, localBusID: seen.busID, deviceID: seen.deviceID), port: port
        )
        log.notice(
          "a device is attached",
          metadata: ["device.name": "\(device.name)", "exporter.host": "\(device.exporter.host)"])
        changeSignal.yield()
        return .success(true)
      } catch {
        _ = await takeOff(device.key, port: port)
        throw error
      }
    } catch {
      attachments[device.key] = nil
      changeSignal.yield()
      return .failure(error)
    }
  }

  /// Chooses a port and gives the socket to the kernel; another program may take the port first.
  private func handOver(
    _ device: Device, _ socket: Door.Socket, key: String
  ) async throws(AgentError) -> Int {
    let free = try await door.freePorts(for: device.speed)
    for port in free where !chosenPorts.contains(port) {
      chosenPorts.insert(port)
      do throws(AgentError) {
        try await undo.change { $0.ports.insert(port) }
        if try await door.attach(device, socket: socket, port: port) { return port }
      } catch {
        await releasePort(port)
        throw error
      }
      await releasePort(port)
    }
    let half = device.speed.needsSuperSpeedPort ? "SuperSpeed" : "high-speed"
    throw AgentError(
      .noFreePort, "all \(half) ports of vhci_hcd are in use on this machine",
      hint: """
        devconfig down DEVICE frees one, devconfig doctor counts them; more of them are a matter of the \
        kernel (CONFIG_USBIP_VHCI_HC_PORTS, CONFIG_USBIP_VHCI_NR_HCS)
        """)
  }

  private func releasePort(_ port: Int) async {
    chosenPorts.remove(port)
    do throws(AgentError) {
      try await undo.change { $0.ports.remove(port) }
    } catch {
      log.warning("the undo record cannot be written, ignoring", metadata: ["error": "\(error)"])
    }
  }

  private func waitUntilUsable(
    _ device: RemoteDevice, port: Int
  ) async throws(AgentError) -> LocalObservation {
    let clock = ContinuousClock()
    let limit = clock.now + timing.usable
    var quietUntil: ContinuousClock.Instant?
    while true {
      let rings = await localChange.count
      let seen = await door.observe(port: port)
      let state = Readiness.judge(seen)
      let now = clock.now
      if let seen, state == .ready { return seen }
      if let seen, state == .driverless {
        // Nothing tells that no driver will come; silence for a while has to do.
        if let end = quietUntil, now >= end { return seen }
        quietUntil = quietUntil ?? now + timing.quiet
      } else {
        quietUntil = nil
      }
      guard now < limit else {
        // It is configured at least: a driver without its node, or none and no quiet to be sure of it.
        if let seen, state != .unconfigured { return seen }
        throw AgentError(
          .timedOut, "\(device.name) did not come up within \(timing.usable)",
          hint: "journalctl -k shows what the kernel says of it")
      }
      if seen == nil, await !door.isUsed(port: port) {
        throw AgentError(
          .unreachable,
          "\(device.exporter.host) closed the connection while \(device.name) came up",
          hint: "devconfig list shows whether it is still there")
      }
      let until = min(limit, quietUntil ?? limit, clock.now + timing.unheard)
      if await localChange.wait(since: rings, until: until) {
        quietUntil = nil
      }
    }
  }

  private func detach(_ key: String) async -> Outcome {
    guard let attachment = attachments[key], let port = attachment.port else {
      return .success(false)
    }
    attachments[key]?.state = .detaching
    changeSignal.yield()
    if let error = await takeOff(key, port: port) {
      attachments[key]?.state = .attached
      changeSignal.yield()
      return .failure(error)
    }
    log.notice("a device is detached", metadata: ["device.name": "\(attachment.device.name)"])
    return .success(true)
  }

  private func takeOff(_ key: String, port: Int) async -> AgentError? {
    do throws(AgentError) {
      try await door.detach(port: port)
      let limit = ContinuousClock().now + timing.detached
      while true {
        let rings = await localChange.count
        guard await door.isUsed(port: port) else { break }
        guard ContinuousClock().now < limit else {
          throw AgentError(
            .timedOut, "the kernel did not free port \(port) within \(timing.detached)",
            hint: "journalctl -k shows what the kernel says of it")
        }
        // The port is freed a moment after the device's removal event: look again soon after it.
        let soon = ContinuousClock().now + timing.look
        _ = await localChange.wait(since: rings, until: min(limit, soon))
      }
    } catch {
      return error
    }
    await forget(key, port: port)
    return nil
  }

  private func forget(_ key: String, port: Int) async {
    attachments[key] = nil
    await note(nil, port: port)
    await releasePort(port)
    changeSignal.yield()
  }

  /// Writes down what is on `port` now; without it a restart of the agent takes it off.
  private func note(_ device: AttachedDevice?, port: Int) async {
    do throws(AgentError) {
      try await book.change { $0[port] = device }
    } catch {
      log.warning(
        "what is attached cannot be written down, ignoring", metadata: ["error": "\(error.message)"]
      )
    }
  }
}
