// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import USBModel

/// The thread of a `ServiceDirectory`: keeps a session with avahi-daemon, and in it what is wished.
///
/// After each turn of Avahi's loop `step` looks at what the callbacks wrote down and does what follows;
/// what can fail is tried again later, with a longer and longer wait.
final class DirectoryLoop {
  /// How many events may wait for the reader.
  static let bufferedEvents = 4096
  /// How long a machine may take to be seen again after the daemon's restart.
  static let grace = Duration.seconds(5)
  /// How soon an announcement or a resolver that failed is tried again.
  static let repairInterval = Duration.seconds(10)
  /// How soon a reader that was too slow is told again.
  static let tellInterval = Duration.seconds(1)
  /// How many names are tried in one go when this machine's daemon has them already.
  static let maximumAttempts = 16

  private let mailbox: DirectoryMailbox
  private let poll: DirectoryPoll
  private let continuation: AsyncStream<DiscoveryEvent>.Continuation
  private var session: AvahiSession?
  private var remote = RemoteInventory()
  private var local = LocalInventory()
  private var host: String?
  private var unresolved: Set<AvahiSession.Target> = []
  private var pending: [DiscoveryEvent] = []
  private var toldState: DiscoveryEvent?
  private var toldFailures: [BusID: DiscoveryOutage] = [:]
  private var isTerminated = false

  private var connectDelay = RetryDelay(first: .milliseconds(250), longest: .seconds(30))
  private var connectAt: ContinuousClock.Instant? = .now
  private var settleAt: ContinuousClock.Instant?
  private var repairAt: ContinuousClock.Instant?
  private var tellAt: ContinuousClock.Instant?

  /// Takes what the directory made.
  init(
    mailbox: DirectoryMailbox, poll: DirectoryPoll,
    continuation: AsyncStream<DiscoveryEvent>.Continuation
  ) {
    self.mailbox = mailbox
    self.poll = poll
    self.continuation = continuation
  }

  /// Returns when the directory is stopped or its reader is gone.
  func run() {
    repeat {
      step()
      let deadline = [connectAt, settleAt, repairAt, tellAt].compactMap { $0 }.min()
      guard !isTerminated, !mailbox.isStopped, poll.iterate(until: deadline) else { break }
    } while true
    // The daemon says goodbye for all of ours when the bus connection closes.
    session = nil
    continuation.finish()
  }

  private func step() {
    let now = ContinuousClock.now
    var isWishNew = false
    if let devices = mailbox.takeDevices() {
      local.wish(devices)
      isWishNew = true
    }
    if isDue(&connectAt, now) { connect(now) }
    if let session { takeFacts(of: session, now) }
    if isDue(&settleAt, now) { remote.settle() }
    let isRepair = isDue(&repairAt, now)
    if let session { attend(session, now, isRepair: isRepair, isWishNew: isWishNew) }
    _ = isDue(&tellAt, now)
    tell(now)
  }

  private func isDue(
    _ instant: inout ContinuousClock.Instant?, _ now: ContinuousClock.Instant
  ) -> Bool {
    guard let due = instant, due <= now else { return false }
    instant = nil
    return true
  }

  // MARK: The session

  private func connect(_ now: ContinuousClock.Instant) {
    do throws(DiscoveryOutage) {
      session = try AvahiSession(poll: poll)
    } catch {
      tellLater(state: .unavailable(error))
      connectAt = now + connectDelay.next()
    }
  }

  /// Gives up a session; what was found is told lost if it is not seen again in time.
  private func disconnect(_ outage: DiscoveryOutage, _ now: ContinuousClock.Instant) {
    session = nil
    host = nil
    unresolved = []
    local.withdrawn()
    remote.forget()
    settleAt = now + DirectoryLoop.grace
    tellLater(state: .unavailable(outage))
    connectAt = now + connectDelay.next()
  }

  /// Brings the session on its way, or gives it up.
  private func attend(
    _ session: AvahiSession, _ now: ContinuousClock.Instant, isRepair: Bool, isWishNew: Bool
  ) {
    switch session.link {
    case .failed(let outage):
      disconnect(outage, now)
      return
    case .connecting:
      tellLater(state: .unavailable(.daemonAbsent))
      return
    case .collision:
      // The records carry a host name that is not ours.
      host = nil
      session.removeAll()
      local.withdrawn()
    case .registering:
      host = nil
    case .running:
      break
    }
    do throws(DiscoveryOutage) {
      if try session.browse() {
        connectDelay.reset()
        settleAt = now + DirectoryLoop.grace
      }
    } catch {
      disconnect(error, now)
      return
    }
    if isRepair { resolveAgain(session, now) }
    guard session.link == .running else { return }
    tellLater(state: .available)
    let isHostNew = host == nil
    if host == nil { host = session.hostName }
    guard let host else {
      repairAt = repairAt ?? now + DirectoryLoop.repairInterval
      return
    }
    if isHostNew || isWishNew || isRepair || needsPublishing {
      needsPublishing = false
      publish(session, host, now)
    }
  }

  // MARK: Announcing

  private var needsPublishing = false

  private func publish(
    _ session: AvahiSession, _ host: String, _ now: ContinuousClock.Instant
  ) {
    for _ in 0..<DirectoryLoop.maximumAttempts {
      var hasCollided = false
      for step in local.steps(host: host) {
        do throws(DiscoveryOutage) {
          hasCollided = try !carryOut(step, session) || hasCollided
        } catch {
          fail(step.busID, error, now)
        }
      }
      guard hasCollided else { return }
    }
    repairAt = repairAt ?? now + DirectoryLoop.repairInterval
  }

  /// False where the name is taken and another is to be tried.
  private func carryOut(
    _ step: LocalInventory.Step, _ session: AvahiSession
  ) throws(DiscoveryOutage) -> Bool {
    switch step {
    case .remove(let busID):
      session.remove(busID)
      local.stands(busID, as: nil)
      toldFailures[busID] = nil
    case .put(let busID, let standing):
      local.stands(busID, as: nil)
      guard try session.put(busID, standing) else {
        local.collided(busID)
        return false
      }
      local.stands(busID, as: standing)
      toldFailures[busID] = nil
    case .updateText(let busID, let standing):
      local.stands(busID, as: nil)
      try session.updateText(busID, standing)
      local.stands(busID, as: standing)
    }
    return true
  }

  private func fail(
    _ busID: BusID, _ outage: DiscoveryOutage, _ now: ContinuousClock.Instant
  ) {
    repairAt = repairAt ?? now + DirectoryLoop.repairInterval
    guard toldFailures.updateValue(outage, forKey: busID) != outage else { return }
    pending.append(.publishingFailed(busID, outage))
  }

  // MARK: Finding

  private func takeFacts(of session: AvahiSession, _ now: ContinuousClock.Instant) {
    for fact in session.takeFacts() {
      switch fact {
      case .appeared(let instance, let place):
        guard remote.appeared(instance, at: place) else { continue }
        let target = AvahiSession.Target(instance: instance, place: place)
        if !session.resolve(target) { postpone(target, now) }
      case .vanished(let instance, let place):
        let target = AvahiSession.Target(instance: instance, place: place)
        session.endResolving(target)
        unresolved.remove(target)
        remote.vanished(instance, at: place)
      case .resolved(let instance, let place, let resolution):
        remote.resolved(instance, at: place, to: resolution)
      case .unresolved(let instance, let place, let isOver):
        remote.unresolved(instance, at: place)
        guard isOver else { continue }
        let target = AvahiSession.Target(instance: instance, place: place)
        session.endResolving(target)
        postpone(target, now)
      case .collided(let busID):
        session.remove(busID)
        local.collided(busID)
        needsPublishing = true
      case .withdrawn(let busID, let outage):
        session.remove(busID)
        local.stands(busID, as: nil)
        fail(busID, outage, now)
      }
    }
  }

  private func postpone(_ target: AvahiSession.Target, _ now: ContinuousClock.Instant) {
    unresolved.insert(target)
    repairAt = repairAt ?? now + DirectoryLoop.repairInterval
  }

  private func resolveAgain(_ session: AvahiSession, _ now: ContinuousClock.Instant) {
    let targets = unresolved
    unresolved = []
    for target in targets where !session.resolve(target) { postpone(target, now) }
  }

  // MARK: Telling

  private func tellLater(state: DiscoveryEvent) {
    guard state != toldState else { return }
    toldState = state
    pending.append(state)
  }

  private func tell(_ now: ContinuousClock.Instant) {
    while let event = pending.first {
      guard yielded(event, now) else { return }
      pending.removeFirst()
    }
    for event in remote.changes() {
      guard yielded(event, now) else { return }
      remote.accept(event)
    }
    remote.clean()
  }

  private func yielded(_ event: DiscoveryEvent, _ now: ContinuousClock.Instant) -> Bool {
    switch continuation.yield(event) {
    case .enqueued:
      return true
    case .terminated:
      isTerminated = true
      return false
    default:
      tellAt = now + DirectoryLoop.tellInterval
      return false
    }
  }
}

extension LocalInventory.Step {
  /// The device it is about.
  fileprivate var busID: BusID {
    switch self {
    case .remove(let busID), .put(let busID, _), .updateText(let busID, _): busID
    }
  }
}
