// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

private import CLinux
private import Glibc
public import SystemPackage

/// Tells when this machine mounts, unmounts, or changes its swap space.
///
/// A named thread waits for the kernel's sign (`POLLPRI` on /proc/self/mountinfo and /proc/swaps,
/// proc(5)); several changes in a row may arrive as one.
public final class HostChanges: Sendable {
  /// One element after each change, for one consumer; ends with `stop`.
  public let changes: AsyncStream<Void>

  private let continuation: AsyncStream<Void>.Continuation
  private let stopEvent: SharedDescriptor

  /// Starts to watch the tables below `procfs`; a table that is not there is left out.
  ///
  /// Throws `HostError` where neither thread nor descriptor can be had.
  public init(procfs: FilePath) throws(HostError) {
    (changes, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    let number = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK))
    guard number >= 0 else { throw HostError("make event", "", .current) }
    let stopEvent = SharedDescriptor(OwnedDescriptor(adopting: number))
    self.stopEvent = stopEvent
    var tables: [SharedDescriptor] = []
    for name in ["self/mountinfo", "swaps"] {
      do throws(HostError) {
        tables.append(SharedDescriptor(try openFile(procfs.appending(name), O_RDONLY)))
      } catch  where error.code == .noSuchFileOrDirectory {
        continue
      }
    }
    let (watched, continuation) = (tables, continuation)
    try NamedThread.start("host-changes") {
      HostChanges.watch(watched, until: stopEvent) { continuation.yield() }
      continuation.finish()
    }
  }

  deinit {
    stop()
  }

  /// Ends the thread and the stream; harmless the second time.
  public func stop() {
    var one: UInt64 = 1
    // SAFETY: an eventfd takes exactly eight bytes (eventfd(2)).
    _ = unsafe write(stopEvent.rawValue, &one, 8)
  }

  private static func watch(
    _ tables: [SharedDescriptor], until stopEvent: SharedDescriptor, _ changed: () -> Void
  ) {
    var entries = tables.map { pollfd(fd: $0.rawValue, events: Int16(POLLPRI), revents: 0) }
    entries.append(pollfd(fd: stopEvent.rawValue, events: Int16(POLLIN), revents: 0))
    while true {
      // SAFETY: the count is the array's.
      let result = unsafe poll(&entries, nfds_t(entries.count), -1)
      guard result > 0 else { continue }
      if entries[entries.count - 1].revents != 0 { break }
      // A change shows as POLLPRI with POLLERR. POLLERR alone stays set: it would make this spin.
      if entries.contains(where: { $0.revents & Int16(POLLPRI) != 0 }) { changed() }
      for index in entries.indices where entries[index].revents & Int16(POLLPRI) == 0 {
        if entries[index].revents != 0 { entries[index].fd = -1 }
      }
    }
    withExtendedLifetime((tables, stopEvent)) {}
  }
}
