// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

public import ExportSession
public import LinuxHost
internal import Synchronization
public import USBModel

/// A USB device that lives in memory: a storage-like loopback with a vendor request.
///
/// Bulk OUT 0x01 to bulk IN 0x81 loops messages back: each OUT transfer is one message, each IN
/// transfer takes one. Interrupt IN 0x82 waits for `report`. Altsetting 1 of interface 0 has an
/// isochronous IN 0x83 and OUT 0x03 besides; packet n of an IN transfer brings n modulo 4 bytes less
/// than asked for. Bulk IN 0x84 of interface 1 sends an endless pattern. Configuration
/// 2 has interface 0 with bulk OUT 0x05 alone. Vendor requests 0x40/0xC0 with request 1 write and
/// read 64 KiB of memory. The test tells it to stall, to refuse, to hold completions, or to vanish.
public final class VirtualDevice: URBDevice, DeviceControl, Sendable {
  /// What was asked of it, in order.
  public enum Event: Hashable, Sendable {
    case submitted(endpointAddress: UInt8, length: Int)
    case discarded(endpointAddress: UInt8)
    case setConfiguration(UInt8)
    case setInterface(UInt8, alternate: UInt8)
    case clearHalt(UInt8)
    case reset
  }

  /// One transfer the session has handed over.
  struct Pending {
    var transfer: Transfer
    var slot: Int
  }

  /// One transfer that has ended; `data` goes to its buffer when it is reaped.
  struct Ended {
    var pending: Pending
    var status: Int32
    var data: [UInt8]
    var actualLength: Int
    var packets: [TransferredPacket] = []
  }

  struct State {
    var pending: [Pending] = []
    var ended: [Ended] = []
    var messages: [[UInt8]] = []
    var reports: [[UInt8]] = []
    var packets: [Int: [TransferredPacket]] = [:]
    var failingPackets: Set<Int> = []
    var isochronousOut: [[UInt8]] = []
    var memory = [UInt8](repeating: 0, count: 65_536)
    var events: [Event] = []
    var configuration: UInt8 = 1
    var stalled: Set<UInt8> = []
    var held: Set<UInt8> = []
    var refusals: [Int32] = []
    var barrierResult: Int32 = 0
    var areBarriersHeld = false
    var completionOnDiscard: [UInt8: [UInt8]] = [:]
    var isGone = false
  }

  // SAFETY: the transfers in the state point to memory of the session, which keeps it until the
  // transfer is reaped; it is touched only in calls of the session's own thread.
  private struct Guarded: @unchecked Sendable {
    var state = State()
  }

  /// Memory for `shareMemory`, freed with the device, which outlives its session.
  private final class SharedMemory: @unchecked Sendable {
    // SAFETY: used by one session's thread.
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 100_000, alignment: 4096)
    deinit { memory.deallocate() }
  }

  private let shared = SharedMemory()
  private let guarded = Mutex(Guarded())
  private let counter: EventCounter
  /// Rings for every submit, so that tests can wait for one.
  private let submits: EventCounter
  /// Rings for every call that changes the device, and when such calls may go on.
  let barriers: EventCounter
  let barrierGate: EventCounter
  /// Two configurations, as told above.
  public let descriptors: DeviceDescriptors

  /// A device in configuration 1; throws `HostError` where there is no descriptor left for its bell.
  public init() throws(HostError) {
    counter = try EventCounter()
    submits = try EventCounter()
    barriers = try EventCounter()
    barrierGate = try EventCounter()
    descriptors = VirtualDevice.layout
  }

  func withState<Result>(_ body: (inout State) -> Result) -> Result {
    // The closure's state is the mutex's own; nothing of it leaves but values.
    var result: Result?
    guarded.withLock { guarded in result = body(&guarded.state) }
    guard let result else { preconditionFailure("withLock runs its closure") }
    return result
  }

  /// An event counter.
  public var pollDescriptor: Int32 { counter.rawValue }
  /// Readable.
  public var pollReadiness: Epoll.Readiness { .input }

  /// Some memory, so that part of the transfers lie in it and part do not.
  public func shareMemory(byteCount: Int) -> UnsafeMutableRawBufferPointer? {
    shared.memory
  }

  /// The device itself.
  public var control: any DeviceControl { self }

  /// Starts a transfer, or refuses it as the test said.
  public func submit(_ transfer: Transfer, slot: Int) -> Int32 {
    withState { state in
      if state.isGone { return -19 }
      if !state.refusals.isEmpty {
        let refusal = state.refusals.removeFirst()
        if refusal != 0 { return refusal }
      }
      state.events.append(
        .submitted(endpointAddress: transfer.endpointAddress, length: transfer.length))
      state.pending.append(Pending(transfer: transfer, slot: slot))
      advance(&state)
      submits.signal()
      return 0
    }
  }

  /// Ends a transfer at once.
  public func discard(slot: Int) {
    withState { state in
      guard let index = state.pending.firstIndex(where: { $0.slot == slot }) else { return }
      let pending = state.pending.remove(at: index)
      let address = pending.transfer.endpointAddress
      state.events.append(.discarded(endpointAddress: address))
      if let data = state.completionOnDiscard.removeValue(forKey: address) {
        end(pending, 0, Array(data.prefix(pending.transfer.length)), &state)
      } else {
        end(pending, -2, [], &state)
      }
    }
  }

  /// Takes one ended transfer, and copies its data as usbfs does.
  public func reap() -> ReapedTransfer {
    withState { state in
      guard !state.ended.isEmpty else {
        counter.drain()
        return state.isGone ? .failed(-19) : .nothing
      }
      let ended = state.ended.removeFirst()
      state.packets[ended.pending.slot] = ended.packets
      if !ended.data.isEmpty {
        let offset = ended.pending.transfer.type == .control ? SetupPacket.size : 0
        UnsafeMutableRawBufferPointer(
          start: ended.pending.transfer.buffer + offset,
          count: ended.pending.transfer.length - offset
        ).copyBytes(from: ended.data)
      }
      return .completed(
        slot: ended.pending.slot, status: ended.status, actualLength: ended.actualLength)
    }
  }

  /// The outcome of a packet of the transfer reaped last under this name.
  public func packet(_ index: Int, slot: Int) -> TransferredPacket {
    withState { state in
      guard let packets = state.packets[slot], packets.indices.contains(index) else {
        return TransferredPacket(actualLength: 0, status: -18)
      }
      return packets[index]
    }
  }

  /// Selects one of the two configurations, or none.
  public func setConfiguration(_ value: UInt8) -> Int32 {
    passBarrierGate()
    return withState { state in
      state.events.append(.setConfiguration(value))
      guard state.barrierResult == 0 else { return state.barrierResult }
      guard value == 0 || descriptors.configuration(value) != nil else { return -22 }
      kill(&state) { $0 & 0x0F != 0 }
      state.configuration = value
      return 0
    }
  }

  /// Selects an altsetting, if there is such.
  public func setInterface(_ number: UInt8, alternate: UInt8) -> Int32 {
    passBarrierGate()
    return withState { state in
      state.events.append(.setInterface(number, alternate: alternate))
      guard state.barrierResult == 0 else { return state.barrierResult }
      let interfaces = descriptors.configuration(state.configuration)?.interfaces ?? []
      guard interfaces.contains(where: { $0.number == number && $0.alternate == alternate }) else {
        return -22
      }
      let addresses = interfaces.filter { $0.number == number }.flatMap(\.endpoints).map(\.address)
      kill(&state) { addresses.contains($0) }
      return 0
    }
  }

  /// Ends a stall.
  public func clearHalt(endpointAddress: UInt8) -> Int32 {
    passBarrierGate()
    return withState { state in
      state.events.append(.clearHalt(endpointAddress))
      guard state.barrierResult == 0 else { return state.barrierResult }
      state.stalled.remove(endpointAddress)
      return 0
    }
  }

  /// Ends all transfers and stalls.
  public func reset() -> Int32 {
    passBarrierGate()
    return withState { state in
      state.events.append(.reset)
      guard state.barrierResult == 0 else { return state.barrierResult }
      kill(&state) { _ in true }
      state.stalled = []
      return 0
    }
  }

  /// Waits until at least `count` transfers are under way.
  ///
  /// Throws `HostError` with `ETIMEDOUT`.
  public func waitForPending(_ count: Int) throws(HostError) {
    while withState({ $0.pending.count }) < count {
      try BackgroundThread.wait(for: submits.rawValue)
      submits.drain()
    }
  }

  /// Wakes the session.
  func ring() { counter.signal() }
}
