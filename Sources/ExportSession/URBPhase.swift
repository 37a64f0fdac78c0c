// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import LinuxHost
internal import SessionControl
internal import SystemPackage
internal import USBIPWire
internal import USBModel

/// What the descriptors of the epoll set are called there.
enum URBPhaseInterest {
  static let reading: Epoll.Readiness = [.input, .peerClosed]

  static let connection: UInt64 = 0
  static let device: UInt64 = 1
  static let control: UInt64 = 2
  static let termination: UInt64 = 3
  static let side: UInt64 = 4
  static let capture: UInt64 = 5
  static let overdue: UInt64 = 6
}

/// The URB phase of one imported device: one thread, one epoll set, nothing allocated per URB.
///
/// It reads commands, hands transfers to the device, and writes the replies, until the connection,
/// the device or the agent ends. A peer that is faster than the device or than its own reading is
/// slowed down by not being read, never cut off for it.
struct URBPhase<Device: URBDevice & ~Copyable>: ~Copyable {
  /// Why no command is taken at the moment.
  enum Hold: Equatable {
    case none
    /// No slot, no memory budget, or no room for replies: until a reply has left.
    case room
    /// The kernel had no memory for the URB in this slot: until something completes or time passes.
    case memory(slot: Int, since: ContinuousClock.Instant)
    /// The device is being changed by the request in this slot: until that is done.
    case barrier(slot: Int, request: SpecialRequest)
  }

  /// The command whose payload is being read.
  enum Reading: Equatable {
    /// None: a header comes next.
    case header
    /// `missing` bytes go to the payload of `slot`, at `offset`.
    case payload(slot: Int, offset: Int, missing: Int)
    /// `missing` bytes are dropped, then the URB is answered, unless it was unlinked before it came.
    case dropped(missing: Int, reply: SubmitReply?)
  }

  var device: Device
  let connection: StreamSocket
  let descriptors: DeviceDescriptors
  let devid: UInt32
  let limits: URBPhaseLimits

  var endpoints: EndpointTable
  var ledger: URBLedger
  var slots: SlotPool
  var received: ReceiveBuffer
  var replies: TransmitQueue
  var reading = Reading.header
  var hold = Hold.none
  var inFlight = 0
  var end: SessionEnd?
  /// Makes the calls that block; started with the first of them.
  var side: SideThread?

  /// What the journal and captures call device and peer.
  let subject: SessionSubject
  var statistics = URBStatistics()
  /// Where events go while somebody looks at them.
  var capture: URBCapture?
  /// The time of `HostClock.monotonic`, read once per wake.
  var now = HostClock.monotonic
  /// When this phase began.
  let began = HostClock.monotonic
  /// URBs outstanding that the device owes an end.
  var watched = 0
  /// When to look whether one of them is overdue.
  var nextLook: UInt64 = 0
  /// Wakes this phase for that; made with the first of them.
  var overdueTimer: TimerDescriptor?
  var isOverdueTimerSet = false
  /// Nanoseconds after which it is.
  let overdueAfter: UInt64

  var patience = Patience()
  /// True where the transfer that was taken last is a long one.
  var isStreaming = false
  let events: Epoll
  var interest: Epoll.Readiness
  var stalledSince: ContinuousClock.Instant?

  /// Replies that may still come of the commands taken: two for each slot, and the unlinks that were
  /// repeated or came early; a new command needs two more at most.
  let repliesReserved: Int

  /// Takes the connection, just behind the import reply, and the claimed device.
  ///
  /// `events` comes from `watch`.
  init(
    connection: consuming StreamSocket, pipelined: [UInt8], device: consuming Device,
    events: consuming Epoll, configuration: UInt8, devid: UInt32, subject: SessionSubject,
    limits: URBPhaseLimits
  ) {
    self.events = events
    self.subject = subject
    overdueAfter = limits.overdue.nanoseconds
    interest = URBPhaseInterest.reading
    descriptors = device.descriptors
    endpoints = EndpointTable(descriptors: descriptors, configuration: configuration)
    self.connection = connection
    self.devid = devid
    self.limits = limits
    self.device = device
    ledger = URBLedger(capacity: limits.slots, maximumBytes: limits.bytes)
    slots = SlotPool(capacity: limits.slots)
    received = ReceiveBuffer(pipelined: pipelined)
    repliesReserved =
      2 * limits.slots + WireLimits.maximumRepeatedUnlinks + WireLimits.maximumEarlyUnlinks + 2
    replies = TransmitQueue(capacity: 2 * repliesReserved)
  }

  /// An epoll set over all that a URB phase waits for.
  ///
  /// The agent asks through `control`, or closes its end; `termination` becomes readable. Throws
  /// `HostError` where the set cannot be made.
  static func watch(
    _ connection: borrowing StreamSocket, _ device: borrowing Device, control: Int32,
    termination: Int32
  ) throws(HostError) -> Epoll {
    let events = try Epoll()
    try events.add(
      connection.rawValue, for: URBPhaseInterest.reading, token: URBPhaseInterest.connection)
    try events.add(
      device.pollDescriptor, for: device.pollReadiness, token: URBPhaseInterest.device)
    try events.add(control, for: [.input, .peerClosed], token: URBPhaseInterest.control)
    try events.add(termination, for: [.input], token: URBPhaseInterest.termination)
    return events
  }

  /// Serves the peer until something ends; the device has no transfer left afterwards.
  mutating func run(_ agent: borrowing AgentLink) -> SessionEnd {
    takePipelined()
    while end == nil {
      serve(agent)
    }
    return finish()
  }

  /// Takes the commands that came along with the request.
  mutating func takePipelined() {
    takeCommands()
    settle()
  }

  /// Waits once and serves what is ready: replies leave before new commands are read.
  mutating func serve(_ agent: borrowing AgentLink) {
    do throws(HostError) {
      try watchConnection()
      if watched > 0, !isOverdueTimerSet { try setOverdueTimer() }
      let count = try wait()
      now = HostClock.monotonic
      var connectionReady: Epoll.Readiness = []
      for index in 0..<count {
        let event = events.event(at: index)
        switch event.token {
        case URBPhaseInterest.connection: connectionReady = event.readiness
        case URBPhaseInterest.device: reapAll()
        case URBPhaseInterest.side: finishBarrier()
        case URBPhaseInterest.control: hear(agent)
        case URBPhaseInterest.capture: endCapture()
        case URBPhaseInterest.overdue:
          overdueTimer?.clear()
          isOverdueTimerSet = false
        default: end = end ?? .terminated
        }
      }
      flush()
      goOn()
      if !connectionReady.isEmpty { receive(connectionReady) }
      settle()
      checkStall()
      lookForOverdue()
    } catch {
      end = .hostFailed(error.code.rawValue)
    }
  }

  /// Reads the connection, unless commands are on hold; then only its end matters.
  private mutating func receive(_ readiness: Epoll.Readiness) {
    guard end == nil else { return }
    guard hold == .none else {
      if !readiness.isDisjoint(with: [.peerClosed, .hangUp, .failure]) { end = .peerClosed }
      return
    }
    if !readiness.isDisjoint(with: [.input, .peerClosed, .hangUp, .failure]) { receiveCommands() }
  }

  /// Tries again what was on hold.
  private mutating func goOn() {
    switch hold {
    case .none, .barrier:
      return
    case .room:
      hold = .none
    case .memory(let slot, let since):
      hold = .none
      start(slot, waitingSince: since)
    }
    if end == nil, hold == .none { takeCommands() }
  }

  /// Sends, and takes commands again as long as that makes room for them.
  ///
  /// Without it a command that was held back for room would wait for an event that never comes.
  private mutating func settle() {
    flush()
    while hold == .room, replies.count == 0, end == nil {
      goOn()
      guard replies.count > 0 else { return }
      flush()
    }
  }

  /// Sends what is queued, and keeps the time since when the peer takes nothing.
  mutating func flush() {
    guard replies.count > 0 else { return }
    switch replies.send(to: connection, pool: &slots) {
    case .drained:
      stalledSince = nil
    case .blocked(let sent):
      if sent > 0 || stalledSince == nil { stalledSince = .now }
    case .failed(let code):
      if end == nil { end = .connectionFailed(code) }
    }
  }

  private mutating func checkStall() {
    guard let stalledSince, end == nil else { return }
    if stalledSince.duration(to: .now) >= limits.writeStall { end = .writeStalled }
  }

  /// Has nothing asked of the device until `watchDevice`; false where the session ends instead.
  mutating func leaveDeviceAlone() -> Bool {
    do throws(HostError) {
      if side == nil {
        let started = try SideThread("device-control")
        try events.add(started.rawValue, for: [.input], token: URBPhaseInterest.side)
        side = consume started
      }
      // An error or a hang-up would be reported over and over.
      try events.remove(device.pollDescriptor)
      return true
    } catch {
      end = .hostFailed(error.code.rawValue)
      return false
    }
  }

  /// Waits for the device's transfers again.
  mutating func watchDevice() {
    do throws(HostError) {
      try events.add(
        device.pollDescriptor, for: device.pollReadiness, token: URBPhaseInterest.device)
    } catch {
      end = end ?? .hostFailed(error.code.rawValue)
    }
  }

  /// Ends all transfers; what the peer can still be told is told.
  ///
  /// The result is why the session ended.
  mutating func finish() -> SessionEnd {
    // A request under way keeps the device; it ends in its own time.
    if case .barrier = hold { _ = side?.waitForResult() }
    for slot in 0..<slots.capacity where slots[slot].isInFlight {
      device.discard(slot: slot)
    }
    let reason = end
    end = nil
    reapAll()
    end = reason ?? end
    flush()
    endCapture()
    connection.shutDown()
    return end ?? .terminated
  }
}
