// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// Tells what USB devices this machine has and how that changes, from udev.
///
/// Watch first, then list: the subscription stands before the first device is read, so nothing slips
/// between. Root hubs are not told. Works without udevd too: then devices are listed and nothing
/// changes any more. Its thread only waits and hands over.
public final class HotplugWatch: Sendable {
  /// The changes in order, for one reader; ends after `stop` or when the watch is let go.
  ///
  /// A slow reader loses no device: beyond 4,096 waiting events the watch lists again, tells what is
  /// different, and `listed`.
  public let events: AsyncStream<HotplugEvent>

  private let wakeup: HotplugWakeup

  /// How many events may wait for the reader.
  private static let bufferedEvents = 4096

  /// Subscribes and starts the thread `hotplug`; needs no rights.
  public convenience init() throws(HotplugError) {
    try self.init(bufferedEvents: HotplugWatch.bufferedEvents)
  }

  /// The same with another size of the buffer.
  init(bufferedEvents: Int) throws(HotplugError) {
    let (stream, continuation) = AsyncStream.makeStream(
      of: HotplugEvent.self, bufferingPolicy: .bufferingOldest(bufferedEvents))
    let wakeup = try HotplugWakeup()
    let loop = try HotplugLoop(wakeup: wakeup, continuation: continuation)
    try NamedThread.start("hotplug") { loop.run() }
    events = stream
    self.wakeup = wakeup
  }

  deinit { wakeup.raise() }

  /// Ends the thread and then the stream; returns at once; a second call does nothing.
  public func stop() { wakeup.raise() }
}
