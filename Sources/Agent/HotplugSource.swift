// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import Hotplug
internal import LinuxHost
internal import USBModel

/// Where device events come from: udev, or scans of a folder where the kernel is a fake.
final class HotplugSource: Sendable {
  /// The events, first listing included.
  let events: AsyncStream<HotplugEvent>
  private let watch: HotplugWatch?
  private let scanner: Task<Void, Never>?
  private let mark: AsyncStream<Void>.Continuation
  private let marks: AsyncStream<Void>

  /// Between two scans of a fake kernel.
  private static let scanInterval = Duration.milliseconds(20)

  init(places: Places) throws {
    (marks, mark) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    if places.isRealKernel {
      let watch = try HotplugWatch()
      self.watch = watch
      scanner = nil
      events = watch.events
    } else {
      watch = nil
      let (stream, continuation) = AsyncStream.makeStream(of: HotplugEvent.self)
      events = stream
      let tree = USBTree(sysfs: Sysfs(root: places.sysfs))
      // Owned by this object: `stop` cancels it.
      scanner = Task { await HotplugSource.scan(tree, continuation) }
    }
  }

  /// Returns once the first listing has been taken in.
  func listed() async {
    for await _ in marks { return }
  }

  /// Says that the first listing has been taken in.
  func markListed() async { mark.yield() }

  /// Ends the events.
  func stop() {
    watch?.stop()
    scanner?.cancel()
  }

  private static func scan(
    _ tree: USBTree, _ events: AsyncStream<HotplugEvent>.Continuation
  ) async {
    var known: [BusID: Device] = [:]
    var isFirst = true
    while !Task.isCancelled {
      let now = tree.devices()
      for device in now where known[device.busID] != device {
        events.yield(known[device.busID] == nil ? .added(device) : .changed(device))
      }
      for busID in known.keys where !now.contains(where: { $0.busID == busID }) {
        events.yield(.removed(busID))
      }
      known = Dictionary(now.map { ($0.busID, $0) }, uniquingKeysWith: { $1 })
      if isFirst { events.yield(.listed) }
      isFirst = false
      try? await Task.sleep(for: scanInterval)
    }
    events.finish()
  }
}
