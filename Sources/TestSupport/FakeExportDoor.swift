// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

public import AgentAPI
public import Sharing
private import Synchronization
public import USBModel

/// A device taken from its drivers by `FakeExportDoor`; as with usbfs, the interfaces are let go of
/// when the last reference goes.
public final class FakeClaim: Sendable {
  /// The device.
  public let busID: BusID
  private let open: OpenClaims

  fileprivate init(_ busID: BusID, _ open: OpenClaims) {
    self.busID = busID
    self.open = open
    open.add(busID)
  }

  deinit { open.remove(busID) }
}

/// The claims that exist at this moment.
private final class OpenClaims: Sendable {
  private let counts = Mutex<[BusID: Int]>([:])

  func add(_ busID: BusID) { counts.withLock { $0[busID, default: 0] += 1 } }
  func remove(_ busID: BusID) { counts.withLock { $0[busID, default: 0] -= 1 } }
  func contains(_ busID: BusID) -> Bool { counts.withLock { $0[busID, default: 0] > 0 } }
}

/// A machine whose drivers can be taken from their devices and come back, without a kernel.
public actor FakeExportDoor: ExportDoor {
  /// What was done to the kernel.
  public enum Event: Sendable, Hashable {
    /// The uses of these devices were looked at.
    case looked(Set<BusID>)
    /// Taking a device has begun; `isRecorded` tells whether the undo record had it by then.
    case claiming(BusID, isRecorded: Bool)
    /// A device was taken.
    case claimed(BusID)
    /// A device was given back while nobody held a claim: its drivers have it again.
    case returned(BusID, configuration: UInt8?)
    /// A device was given back while a claim still held its interfaces: its drivers are kept out.
    case returnedWhileClaimed(BusID)
  }

  /// What happened, in order.
  public nonisolated let log = EventLog<Event>()
  /// Where `uses` stops, having looked already.
  public nonisolated let looking = Turnstile()
  /// Where `claim` stops, with its work half done.
  public nonisolated let claiming = Turnstile()

  private let undo: MemoryUndoBook
  private let open = OpenClaims()
  private var uses: [BusID: [LocalUse]] = [:]
  private var failure: AgentError?

  /// Reads `undo` to see whether a claim was written down before it was made.
  public init(undo: MemoryUndoBook) { self.undo = undo }

  /// Says how the machine uses the device at `busID` from now on.
  public func use(_ busID: BusID, _ uses: LocalUse...) { self.uses[busID] = uses }

  /// Fails each claim from now on; `nil` mends it.
  public func failClaims(with error: AgentError?) { failure = error }

  /// True while a claim of the device at `busID` exists.
  public nonisolated func isClaimed(_ busID: BusID) -> Bool { open.contains(busID) }

  /// The uses as they were when asked, even where the answer is late.
  public func uses(of devices: [Device]) async -> [BusID: [LocalUse]] {
    let seen = uses
    log.record(.looked(Set(devices.map(\.busID))))
    await looking.pass()
    return seen
  }

  /// Takes the device, or fails as told.
  public func claim(_ device: Device) async throws(AgentError) -> FakeClaim {
    let isRecorded = await undo.record.claimed.contains(device.busID)
    log.record(.claiming(device.busID, isRecorded: isRecorded))
    await claiming.pass()
    if let failure { throw failure }
    log.record(.claimed(device.busID))
    return FakeClaim(device.busID, open)
  }

  /// Lets the drivers have the device again, unless a claim still holds its interfaces.
  public func giveBack(_ busID: BusID, configuration: UInt8?) async -> Bool {
    let isHeld = open.contains(busID)
    log.record(
      isHeld ? .returnedWhileClaimed(busID) : .returned(busID, configuration: configuration))
    return !isHeld
  }
}
