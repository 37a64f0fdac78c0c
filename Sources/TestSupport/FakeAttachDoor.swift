// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

public import AgentAPI
public import Attaching
public import USBModel

/// A connection on which a fake exporter has agreed; the exporter takes its device back when the last
/// reference goes.
public final class FakeSocket: Sendable {
  /// The device on the exporter.
  public let busID: String
  private let onClose: @Sendable () -> Void

  init(busID: String, onClose: @escaping @Sendable () -> Void) {
    self.busID = busID
    self.onClose = onClose
  }

  deinit { onClose() }
}

/// An exporter and a virtual host controller that behave like the real ones, without a kernel.
///
/// The controller has four high-speed ports (0 to 3) and four SuperSpeed ports (4 to 7). An attached
/// device goes through its `stages` one by one, each announced like an event of udev.
public actor FakeAttachDoor: AttachDoor {
  /// What was asked of the network and the kernel.
  public enum Event: Sendable, Hashable {
    /// An exporter was asked.
    case importing(String, RemoteUser)
    /// The kernel took a device; `isRecorded` tells whether the undo record had the port by then.
    case attached(String, port: Int, isRecorded: Bool)
    /// The kernel refused, since another program took the port.
    case busy(port: Int)
    /// Taking a device off has begun.
    case detaching(port: Int)
    /// The connection to the exporter's device ended.
    case closed(String)
  }

  private struct Slot {
    var socket: FakeSocket?
    var stages: [LocalObservation?]
    var stage = 0
    /// How many more looks see the port in use after it was told to let go; `nil` before that.
    var looksUntilFree: Int?

    var observation: LocalObservation? { stage == 0 ? nil : stages[stage - 1] }
  }

  /// What happened, in order.
  public nonisolated let log = EventLog<Event>()
  /// Where an import stops, the exporter having agreed.
  public nonisolated let importing = Turnstile()

  private let undo: MemoryUndoBook
  private var devices: [String: Device] = [:]
  private var stages: [String: [LocalObservation?]] = [:]
  private var holders: [String: RemoteUser] = [:]
  private var refusals: [String: AgentError] = [:]
  private var slots: [Int: Slot] = [:]
  private var foreign: Set<Int> = []
  private var contested: Set<Int> = []
  private var looksUntilFree = 2
  private var missing: AgentError?
  private var onChange: @Sendable () async -> Void = {}

  /// Reads `undo` to see whether a port was written down before it was used.
  public init(undo: MemoryUndoBook) { self.undo = undo }

  /// Calls `onChange` after each change among this machine's devices, as udev would.
  public func connect(_ onChange: @escaping @Sendable () async -> Void) { self.onChange = onChange }

  /// Adds a device to the exporter; once attached, it goes through `stages` when `advance` says so.
  public func export(_ device: Device, stages: [LocalObservation?]) {
    devices[device.busID.description] = device
    self.stages[device.busID.description] = stages
  }

  /// Pulls a device out of the exporter.
  public func unplug(_ busID: String) { devices[busID] = nil }

  /// Refuses each import of `busID`, or of `busID PRODUCT`, with `error`; `nil` agrees again.
  public func refuse(_ busID: String, with error: AgentError?) { refusals[busID] = error }

  /// Gives these ports to another program.
  public func occupy(_ ports: some Sequence<Int> & Sendable) { foreign.formUnion(ports) }

  /// Lets another program take these ports at the moment they are chosen.
  public func contest(_ ports: Set<Int>) { contested = ports }

  /// Says how many looks still see a port in use after it was told to let go; `Int.max` never frees it.
  public func freePorts(after looks: Int) { looksUntilFree = looks }

  /// Frees a port that was told to let go.
  public func free(port: Int) { slots[port]?.looksUntilFree = 0 }

  /// Takes the controller out of the kernel; `nil` brings it back.
  public func removeController(_ error: AgentError?) { missing = error }

  /// Brings the device on `port` to its next stage.
  public func advance(port: Int) async {
    guard var slot = slots[port], slot.stage < slot.stages.count else { return }
    slot.stage += 1
    slots[port] = slot
    await onChange()
  }

  /// Cuts the connection of `port`: the kernel removes the device and frees the port.
  public func cut(port: Int) async {
    slots[port] = nil
    await onChange()
  }

  /// Who holds the exporter's device.
  public func holder(_ busID: String) -> RemoteUser? { holders[busID] }

  /// The ports in use by us.
  public var usedPorts: Set<Int> { Set(slots.keys) }

  /// Agrees, unless somebody has the device or the exporter refuses.
  public func importDevice(
    _ wanted: RemoteDevice, as user: RemoteUser
  ) async throws(AgentError) -> (device: Device, socket: FakeSocket) {
    let busID = wanted.busID
    log.record(.importing(busID, user))
    if let missing { throw missing }
    if let refusal = refusals["\(busID) \(wanted.productID)"] ?? refusals[busID] { throw refusal }
    guard let device = devices[busID] else {
      throw AgentError(.unknownDevice, "there is no device \(busID) on \(wanted.exporter.host)")
    }
    guard VendorProduct.hex(device.vendorProduct.product) == wanted.productID else {
      throw AgentError(.unknownDevice, "another device is plugged in at \(busID) now")
    }
    if let holder = holders[busID] {
      throw AgentError(.inUse, "\(device.name) is in use by \(holder)")
    }
    holders[busID] = user
    let socket = FakeSocket(busID: busID) { [weak self, log] in
      log.record(.closed(busID))
      // Owned by nobody and ends at once: `deinit` cannot wait for the exporter.
      Task { [weak self] in await self?.takeBack(busID) }
    }
    await importing.pass()
    return (device, socket)
  }

  private func takeBack(_ busID: String) { holders[busID] = nil }

  /// The ports neither we nor others use, lowest first.
  public func freePorts(for speed: Speed) async throws(AgentError) -> [Int] {
    if let missing { throw missing }
    let half = speed.needsSuperSpeedPort ? 4..<8 : 0..<4
    return half.filter { slots[$0] == nil && !foreign.contains($0) }
  }

  /// Takes the socket, unless the port is taken.
  public func attach(
    _ device: Device, socket: FakeSocket, port: Int
  ) async throws(AgentError) -> Bool {
    if contested.contains(port) { foreign.insert(port) }
    guard slots[port] == nil, !foreign.contains(port) else {
      log.record(.busy(port: port))
      return false
    }
    slots[port] = Slot(socket: socket, stages: stages[socket.busID] ?? [])
    let isRecorded = await undo.record.ports.contains(port)
    log.record(.attached(socket.busID, port: port, isRecorded: isRecorded))
    return true
  }

  /// Tells the port to let go; harmless when it is free.
  public func detach(port: Int) async throws(AgentError) {
    log.record(.detaching(port: port))
    slots[port]?.looksUntilFree = looksUntilFree
  }

  /// The stage the device is at.
  public func observe(port: Int) async -> LocalObservation? {
    guard let slot = slots[port], slot.looksUntilFree == nil else { return nil }
    return slot.observation
  }

  /// True while the port is in use; as in the kernel, a port is freed some time after it was told to.
  public func isUsed(port: Int) async -> Bool {
    guard let looks = slots[port]?.looksUntilFree else {
      return slots[port] != nil || foreign.contains(port)
    }
    if looks == 0 {
      slots[port] = nil
      return false
    }
    if looks < Int.max { slots[port]?.looksUntilFree = looks - 1 }
    return true
  }
}
