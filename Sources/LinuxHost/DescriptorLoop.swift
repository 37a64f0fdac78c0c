// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

private import Synchronization

/// The one thread of a process that waits for the descriptors of all `DescriptorEvents`.
///
/// Dispatch has sources for this; on Linux an event that meets the end of its source crashes the
/// process there ("Source finalized twice"), and a peer that hangs up is such an event.
final class DescriptorLoop: @unchecked Sendable {
  /// Does not own: who is no longer there gets no event.
  private struct Registration {
    weak var events: DescriptorEvents?
  }

  private struct State {
    var nextToken: UInt64 = 0
    var registrations: [UInt64: Registration] = [:]
  }

  // SAFETY: epoll_ctl(2) may be called by any thread while another waits, and the buffer that
  // `wait` fills is used by the loop's thread only. The rest lies behind a lock.
  private let epoll: Epoll
  private let state = Mutex(State())

  private static let started = Mutex<DescriptorLoop?>(nil)

  private init() throws(HostError) {
    epoll = try Epoll(capacity: 64)
  }

  /// The loop of this process, which is started by the first who asks.
  ///
  /// Throws `HostError` with `EMFILE`, `ENOMEM` or `EAGAIN` where there is no room for it.
  static func shared() throws(HostError) -> DescriptorLoop {
    let loop = started.withLock { started in
      Result { () throws(HostError) in
        if let started { return started }
        let loop = try DescriptorLoop()
        try NamedThread.start("descriptors") { loop.run() }
        started = loop
        return loop
      }
    }
    return try loop.get()
  }

  /// A number for one `DescriptorEvents`, never given twice.
  func makeToken() -> UInt64 {
    state.withLock { state in
      state.nextToken &+= 1
      return state.nextToken
    }
  }

  /// Has `events` called for `descriptor`, which is not waited for until `arm`.
  ///
  /// Throws `HostError` with `ENOMEM` or `ENOSPC`.
  func add(_ events: DescriptorEvents, _ descriptor: Int32, token: UInt64) throws(HostError) {
    state.withLock { $0.registrations[token] = Registration(events: events) }
    do throws(HostError) {
      try epoll.add(descriptor, for: .once, token: token)
    } catch {
      state.withLock { _ = $0.registrations.removeValue(forKey: token) }
      throw error
    }
  }

  /// Waits for the next event of `interest`; one that is there already counts.
  func arm(_ descriptor: Int32, for interest: Epoll.Readiness, token: UInt64) {
    // Changing what is in the set takes no memory; the owner keeps the descriptor open.
    try? epoll.change(descriptor, to: interest.union(.once), token: token)
  }

  /// Forgets `descriptor`, which is still open; an event under way finds nobody.
  func remove(_ descriptor: Int32, token: UInt64) {
    try? epoll.remove(descriptor)
    state.withLock { _ = $0.registrations.removeValue(forKey: token) }
  }

  private func run() {
    while true {
      // Only an invalid set or buffer makes waiting fail.
      guard let count = try? epoll.wait(milliseconds: -1) else { return }
      for index in 0..<count {
        let event = epoll.event(at: index)
        let events = state.withLock { $0.registrations[event.token]?.events }
        events?.occurred(event.readiness)
      }
    }
  }
}
