// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// DNS-SD on the LAN through avahi-daemon: one service instance of `_usbip._tcp` per shared device.
///
/// Survives whatever the daemon does: absent at the start, without a system bus, restarted, renamed.
/// Then everything is announced and looked for again. Works on a thread of its own, because Avahi's
/// calls wait for answers over the bus; no call of this type waits.
public final class ServiceDirectory: DirectoryDoor {
  /// The changes in order, for one reader; ends after `stop` or when the directory is let go.
  ///
  /// An instance is told `found` again whenever something of it is different. A slow reader loses nothing
  /// but what was void before it looked.
  public let events: AsyncStream<DiscoveryEvent>

  private let mailbox: DirectoryMailbox

  /// Starts the thread `discovery`, which connects to the system bus.
  public init() throws(DiscoveryError) {
    let (stream, continuation) = AsyncStream.makeStream(
      of: DiscoveryEvent.self, bufferingPolicy: .bufferingOldest(DirectoryLoop.bufferedEvents))
    let mailbox = try DirectoryMailbox()
    let poll = try DirectoryPoll(wakeup: mailbox.wakeup)
    try NamedThread.start("discovery") {
      DirectoryLoop(mailbox: mailbox, poll: poll, continuation: continuation).run()
    }
    events = stream
    self.mailbox = mailbox
  }

  deinit { mailbox.stop() }

  /// Makes `devices` all that this machine announces, until the next call; from any thread.
  ///
  /// A device is known by the bus ID of its record; of two with the same the last counts, and beyond 256
  /// they are left out. The instance is called `NAME on HOST (BUSID)` with Avahi's host name, and keeps
  /// that name while the device is announced; a number is added where another machine has the name. A
  /// difference in the record alone is changed in place.
  public func publish(_ devices: [PublishedDevice]) {
    mailbox.publish(devices)
  }

  /// Ends all announcements, the thread, and then the stream; returns at once.
  public func stop() {
    mailbox.stop()
  }
}
