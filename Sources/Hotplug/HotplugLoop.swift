// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import Glibc
internal import USBModel

/// The thread of a `HotplugWatch`: waits for udev, turns what it says into events.
///
/// What the reader was told is known in `DeviceTable`. When an event is lost, by the kernel or
/// because the reader is slow, the loop lists all devices again and tells the difference.
// SAFETY: @unchecked because libudev's handles are bound to one thread at a time. The object is
// built by the watch and then handed to its thread, which alone calls `run`.
final class HotplugLoop: @unchecked Sendable {
  /// How soon to list again when the reader or a scan did not keep up.
  static let retryInterval = Duration.seconds(1)
  /// How many events are taken before the loop looks whether it is to stop.
  static let drainedEvents = 4096

  private let context: UdevContext
  private var monitor: UdevMonitor?
  private let wakeup: HotplugWakeup
  private let continuation: AsyncStream<HotplugEvent>.Continuation
  private var table = DeviceTable()
  /// When to list all devices, because not everything was told; `nil` when everything was.
  private var listAt: ContinuousClock.Instant? = .now
  private var isTerminated = false

  /// Opens the monitor, so that from here on no change is missed.
  init(
    wakeup: HotplugWakeup, continuation: AsyncStream<HotplugEvent>.Continuation
  ) throws(HotplugError) {
    context = try UdevContext()
    monitor = try context.monitor()
    self.wakeup = wakeup
    self.continuation = continuation
  }

  /// Returns when the watch is stopped or its reader is gone.
  func run() {
    // The end of the stream says that the socket is closed.
    defer {
      monitor = nil
      continuation.finish()
    }
    while !isTerminated {
      if let due = listAt, due <= .now { list() }
      var waiting = [
        pollfd(fd: monitor?.descriptor ?? -1, events: Int16(POLLIN), revents: 0),
        pollfd(fd: wakeup.descriptor, events: Int16(POLLIN), revents: 0),
      ]
      let result = unsafe poll(&waiting, nfds_t(waiting.count), milliseconds(until: listAt))
      if result < 0 {
        guard errno == EINTR else { return }
        continue
      }
      if waiting[1].revents != 0 { return }
      if waiting[0].revents & Int16(POLLNVAL | POLLHUP) != 0 { return }
      if waiting[0].revents != 0 { drain() }
    }
  }

  /// Rounded up; without end for `nil`.
  private func milliseconds(until instant: ContinuousClock.Instant?) -> Int32 {
    guard let instant else { return -1 }
    let left = max(.zero, ContinuousClock.now.duration(to: instant)).components
    return Int32(clamping: left.seconds * 1000 + left.attoseconds / 1_000_000_000_000_000 + 1)
  }

  /// Takes what is there now; the same child change twice in one go is told once.
  private func drain() {
    var children: Set<HotplugEvent> = []
    for _ in 0..<HotplugLoop.drainedEvents where !isTerminated {
      switch monitor?.receive() ?? .empty {
      case .device(let device):
        // With a list to come, the list will tell; reading on keeps the kernel's buffer empty.
        if listAt == nil { handle(device, &children) }
      case .overflow:
        listAt = .now
      case .empty:
        return
      }
    }
  }

  private func handle(_ device: borrowing UdevDevice, _ children: inout Set<HotplugEvent>) {
    let path = device.path
    guard let place = SysfsPlace(path) else { return }
    guard device.subsystem == "usb" else {
      let event = HotplugEvent.childChanged(place.busID, subsystem: device.subsystem)
      if children.insert(event).inserted { tell([event]) }
      return
    }
    if device.type == "usb_device" && device.action == "remove" {
      children = children.filter { $0.busID != place.busID }
      tell(table.changes(removing: place.busID))
      return
    }
    switch read(place.devicePath) {
    case .device(let device): tell(table.changes(of: device))
    case .flawed(let flaw): tell(table.changes(of: place.devicePath, flaw: flaw))
    case .incomplete, .gone: break
    }
  }

  /// Tells the difference to all that is there, then `listed`.
  private func list() {
    // What was queued before this moment is in the list, or comes to nothing afterwards.
    listAt = nil
    guard let paths = context.allPaths() else {
      listAt = .now + HotplugLoop.retryInterval
      return
    }
    var present: [Device] = []
    var unread: [String: DeviceFlaw?] = [:]
    for path in paths {
      guard let place = SysfsPlace(path), place.devicePath == path else { continue }
      switch read(path) {
      case .device(let device): present.append(device)
      case .flawed(let flaw): unread[path] = .some(flaw)
      case .incomplete: unread[path] = .some(nil)
      case .gone: break
      }
    }
    tell(table.changes(present: present, unread: unread) + [.listed])
  }

  /// What a look at a sysfs path finds.
  private enum Reading {
    case device(Device)
    case flawed(DeviceFlaw)
    /// In the making, or on its way out: events follow.
    case incomplete
    /// Nothing, or no USB device.
    case gone
  }

  private func read(_ path: String) -> Reading {
    guard let record = context.record(at: path) else { return .gone }
    guard record.isComplete else { return .incomplete }
    do throws(DeviceFlaw) {
      return .device(try record.device())
    } catch {
      // Pulled while it was read: its removal follows.
      return context.device(at: path) == nil ? .gone : .flawed(error)
    }
  }

  private func tell(_ events: [HotplugEvent]) {
    for event in events {
      switch continuation.yield(event) {
      case .enqueued:
        table.accept(event)
      case .terminated:
        isTerminated = true
        return
      default:
        listAt = .now + HotplugLoop.retryInterval
        return
      }
    }
  }
}

extension HotplugEvent {
  fileprivate var busID: BusID? {
    switch self {
    case .added(let device), .changed(let device): device.busID
    case .removed(let busID), .childChanged(let busID, _): busID
    case .skipped, .listed: nil
    }
  }
}
