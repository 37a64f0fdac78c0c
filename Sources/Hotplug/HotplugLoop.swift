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
  /// How many events may wait for the reader.
  static let bufferedEvents = 4096
  /// How soon to try again what was lost, in ms.
  static let retryInterval: Int32 = 1000

  private let context: UdevContext
  private let monitor: UdevMonitor
  private let wakeup: HotplugWakeup
  private let continuation: AsyncStream<HotplugEvent>.Continuation
  private var table = DeviceTable()
  private var isBehind = true
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
    defer { continuation.finish() }
    while !isTerminated {
      if isBehind { list() }
      var waiting = [
        pollfd(fd: monitor.descriptor, events: Int16(POLLIN), revents: 0),
        pollfd(fd: wakeup.descriptor, events: Int16(POLLIN), revents: 0),
      ]
      let result = unsafe poll(&waiting, nfds_t(waiting.count), isBehind ? Self.retryInterval : -1)
      if result < 0 {
        guard errno == EINTR else { return }
        continue
      }
      if waiting[1].revents != 0 { return }
      if waiting[0].revents & Int16(POLLNVAL | POLLHUP) != 0 { return }
      if waiting[0].revents != 0 { drain() }
    }
  }

  /// Takes what is there now; the same child change twice in one go is told once.
  private func drain() {
    var children: Set<HotplugEvent> = []
    while !isTerminated && !isBehind {
      switch monitor.receive() {
      case .device(let device):
        handle(device, &children)
      case .overflow:
        isBehind = true
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
    case .success(let device): tell(table.changes(of: device))
    case .failure(let flaw): tell(table.changes(of: place.devicePath, flaw: flaw))
    case nil: break
    }
  }

  /// Tells the difference to all that is there, then `listed`.
  private func list() {
    // What was queued before this moment is in the list, or comes to nothing afterwards.
    isBehind = false
    guard let paths = context.allPaths() else {
      isBehind = true
      return
    }
    var present: [Device] = []
    var flawed: [String: DeviceFlaw] = [:]
    for path in paths {
      guard let place = SysfsPlace(path), place.devicePath == path else { continue }
      switch read(path) {
      case .success(let device): present.append(device)
      case .failure(let flaw): flawed[path] = flaw
      case nil: break
      }
    }
    tell(table.changes(present: present, flawed: flawed) + [.listed])
  }

  /// What is at `path` now; `nil` where nothing is, or no USB device.
  private func read(_ path: String) -> Result<Device, DeviceFlaw>? {
    guard let record = context.record(at: path) else { return nil }
    do throws(DeviceFlaw) {
      return .success(try record.device())
    } catch {
      // Pulled while it was read: its removal follows.
      return context.device(at: path) == nil ? nil : .failure(error)
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
      case .dropped:
        isBehind = true
        return
      @unknown default:
        isBehind = true
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
