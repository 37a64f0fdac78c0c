// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

private import CLinux
private import Glibc
internal import SystemPackage

/// One epoll set (epoll(7)), level-triggered; waiting on it allocates nothing.
@safe
public struct Epoll: ~Copyable {
  /// What to wait for, or what was found; errors and hang-ups are always reported.
  public struct Readiness: OptionSet, Sendable {
    /// The `EPOLL*` bits of <sys/epoll.h>.
    public let rawValue: UInt32

    /// Takes the bits.
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// There is something to read (EPOLLIN).
    public static let input = Readiness(rawValue: 0x001)
    /// There is room to write; on usbfs: a URB to reap (EPOLLOUT).
    public static let output = Readiness(rawValue: 0x004)
    /// An error is pending (EPOLLERR).
    public static let failure = Readiness(rawValue: 0x008)
    /// Both directions are closed; on usbfs: the device is gone (EPOLLHUP).
    public static let hangUp = Readiness(rawValue: 0x010)
    /// The peer will send nothing more (EPOLLRDHUP).
    public static let peerClosed = Readiness(rawValue: 0x2000)
    /// Only the next event, then none until `change` (EPOLLONESHOT).
    public static let once = Readiness(rawValue: 0x4000_0000)
  }

  /// One descriptor that is ready.
  public struct Event: Sendable {
    /// The number it was added with.
    public let token: UInt64
    /// What it is ready for.
    public let readiness: Readiness
  }

  private let descriptor: OwnedDescriptor
  private let events: UnsafeMutableBufferPointer<epoll_event>

  /// Makes a set that reports at most `capacity` descriptors at once.
  ///
  /// Throws `HostError` with `EMFILE` or `ENOMEM`.
  public init(capacity: Int = 8) throws(HostError) {
    let number = epoll_create1(Int32(EPOLL_CLOEXEC))
    guard number >= 0 else { throw HostError("create epoll set", "", .current) }
    descriptor = OwnedDescriptor(adopting: number)
    unsafe events = .allocate(capacity: max(capacity, 1))
    unsafe events.initialize(repeating: epoll_event())
  }

  deinit {
    // SAFETY: allocated in init, never handed out; epoll_event is trivial.
    unsafe events.deallocate()
  }

  /// Adds `number`, which somebody else owns and removes or closes.
  public borrowing func add(
    _ number: Int32, for interest: Readiness, token: UInt64
  ) throws(HostError) {
    try control(EPOLL_CTL_ADD, number, interest, token)
  }

  /// Changes what to wait for on `number`.
  public borrowing func change(
    _ number: Int32, to interest: Readiness, token: UInt64
  ) throws(HostError) {
    try control(EPOLL_CTL_MOD, number, interest, token)
  }

  /// Forgets `number`.
  public borrowing func remove(_ number: Int32) throws(HostError) {
    try control(EPOLL_CTL_DEL, number, [], 0)
  }

  /// Waits until something is ready, at most `milliseconds` (-1: for ever); a signal ends it with 0.
  ///
  /// The result is how many events `event(at:)` now has.
  public borrowing func wait(milliseconds: Int32) throws(HostError) -> Int {
    // SAFETY: the kernel writes at most `count` events, which is what was allocated.
    let count = unsafe epoll_wait(
      descriptor.rawValue, events.baseAddress, Int32(events.count), milliseconds)
    if count >= 0 { return Int(count) }
    let code = Errno.current
    guard code == .interrupted else { throw HostError("wait for events", "", code) }
    return 0
  }

  /// Lets another thread that is ready have this processor.
  public static func yield() { sched_yield() }

  /// One of the events the last `wait` found; `index` is less than its result.
  public borrowing func event(at index: Int) -> Event {
    // SAFETY: the buffer's own subscript checks `index` in debug builds; callers count up to wait's
    // result, which never exceeds the buffer.
    let event = unsafe events[index]
    return unsafe Event(token: event.data.u64, readiness: Readiness(rawValue: event.events))
  }

  private borrowing func control(
    _ operation: Int32, _ number: Int32, _ interest: Readiness, _ token: UInt64
  ) throws(HostError) {
    var event = unsafe epoll_event()
    unsafe event.events = interest.rawValue
    unsafe event.data.u64 = token
    // SAFETY: the kernel reads `event` during the call only.
    guard unsafe epoll_ctl(descriptor.rawValue, operation, number, &event) == 0 else {
      throw HostError("change epoll set", "", .current)
    }
  }
}
