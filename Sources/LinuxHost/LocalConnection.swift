// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

private import Glibc
internal import SystemPackage

/// One accepted connection of a `LocalListener`; ends with `close` or when nobody has it any more.
public final class LocalConnection: Sendable {
  /// Who is at the other end.
  public let peer: PeerCredentials

  private let events: DescriptorEvents
  private let inbox: Inbox<[UInt8]>
  private let outbox: Outbox

  init(
    _ descriptor: consuming OwnedDescriptor, peer: PeerCredentials,
    writeDeadline: Int = HostLimits.writeDeadline
  ) throws(HostError) {
    let events = try DescriptorEvents(
      SharedDescriptor(descriptor), label: "devconfig.local-connection")
    let inbox = Inbox<[UInt8]>(limit: HostLimits.unreadBytes, setFlowing: events.setReading)
    let outbox = Outbox(
      events: events, subject: "local peer \(peer.pid)", deadline: writeDeadline)
    self.peer = peer
    self.events = events
    self.inbox = inbox
    self.outbox = outbox
    events.setHandlers(
      onReadable: { LocalConnection.read(events, into: inbox) },
      onWritable: { outbox.flush() })
    events.setReading(true)
  }

  deinit {
    close()
  }

  /// What the peer sends, in chunks as they arrive; ends when the peer stops sending, or `close`.
  ///
  /// For one consumer. Reading stops while `HostLimits.unreadBytes` wait here.
  public var incoming: AsyncStream<[UInt8]> {
    AsyncStream { await self.inbox.next() }
  }

  /// Sends all of `bytes`; returns when the kernel has taken them, in the order of the calls.
  ///
  /// The peer gets a duplicate of `descriptor` beside the first byte (unix(7), SCM_RIGHTS).
  /// Throws `HostError`: `EPIPE` or `ECONNRESET` where the peer is gone, `ETIMEDOUT` where it did not
  /// read for 10 s (the connection cannot be used after that), `EBADF` after `close`.
  public func send(
    _ bytes: [UInt8], descriptor: SharedDescriptor? = nil
  ) async throws(HostError) {
    try await outbox.send(bytes, descriptor: descriptor)
  }

  /// Ends the connection both ways; harmless the second time.
  public func close() {
    // The descriptor itself goes a moment later; the peer is to see the end now.
    _ = events.withDescriptor { shutdown($0, Int32(SHUT_RDWR)) }
    events.cancel()
    inbox.finish()
    outbox.fail(.badFileDescriptor)
  }

  /// Reads until nothing is there, the inbox is full or the peer has ended.
  private static func read(_ events: DescriptorEvents, into inbox: Inbox<[UInt8]>) {
    for _ in 0..<HostLimits.chunksPerTurn {
      let result = events.withDescriptor { socket in
        UnixSocket.receive(socket, flags: Int32(MSG_DONTWAIT))
      }
      switch result {
      case .success(let chunk)? where !chunk.isEmpty:
        guard inbox.offer(chunk, cost: chunk.count) else { return }
      case .failure(.resourceTemporarilyUnavailable)?:
        return
      default:
        events.setReading(false)
        inbox.finish()
        return
      }
    }
    // A peer that sends all the time must not keep the queue from writing; what is left is an event.
  }
}
