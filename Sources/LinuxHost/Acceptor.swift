// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

private import CLinux
internal import Glibc
internal import SystemPackage

/// Accepts connections on a listening socket and keeps them until somebody takes them.
///
/// Stops accepting while `HostLimits.waitingConnections` wait (the kernel's backlog holds the rest),
/// and for a moment when descriptors or memory ran out.
final class Acceptor<Connection: Sendable>: Sendable {
  private let events: DescriptorEvents
  private let inbox: Inbox<Connection>
  private let admit: @Sendable (consuming OwnedDescriptor, sockaddr_storage) -> Connection?

  /// `listener` is non-blocking; `admit` runs on the acceptor's queue and must not block.
  init(
    listener: SharedDescriptor, label: String,
    admit: @escaping @Sendable (consuming OwnedDescriptor, sockaddr_storage) -> Connection?
  ) throws(HostError) {
    let events = try DescriptorEvents(listener, label: label)
    self.events = events
    self.admit = admit
    inbox = Inbox(limit: HostLimits.waitingConnections, setFlowing: events.setReading)
    events.setHandlers(onReadable: { [weak self] in self?.acceptAll() })
    events.setReading(true)
  }

  deinit {
    events.cancel()
  }

  /// The next connection; `nil` after `close`.
  func next() async -> Connection? {
    await inbox.next()
  }

  /// Stops; connections that nobody took are closed.
  func close() {
    events.cancel()
    inbox.discard()
  }

  private func acceptAll() {
    while true {
      var address = sockaddr_storage()
      // SAFETY: the structure has the size the function expects.
      let result = events.withDescriptor { listener in
        unsafe clinux_accept(listener, &address)
      }
      guard let number = result else { return }
      if number >= 0 {
        guard let connection = admit(OwnedDescriptor(adopting: number), address) else { continue }
        guard inbox.offer(connection) else { return }
        continue
      }
      switch Errno.current {
      case .resourceTemporarilyUnavailable:
        return
      case .interrupted, .connectionAbort, .protocolError, .hostIsDown, .noRouteToHost,
        .networkUnreachable, .networkDown:
        // Errors of the new connection, which accept(2) on Linux passes on.
        continue
      default:
        // EMFILE, ENFILE, ENOBUFS, ENOMEM: the connection stays pending, so waiting beats spinning.
        events.setReading(false)
        events.after(milliseconds: HostLimits.acceptPause) { [weak events] in
          events?.setReading(true)
        }
        return
      }
    }
  }
}
