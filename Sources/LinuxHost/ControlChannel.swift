// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

private import Glibc
private import Synchronization
internal import SystemPackage

/// The agent's end of the control socket of one session process (`SOCK_SEQPACKET`, unix(7)).
public final class ControlChannel: Sendable {
  private let events: DescriptorEvents
  private let inbox: Inbox<ControlMessage>
  private let broken: Broken

  /// Why the channel ended, apart from a proper end.
  private final class Broken: Sendable {
    let error = Mutex<HostError?>(nil)
  }

  /// Takes over the agent's end of a pair, also one that was kept over a restart of the agent.
  public init(adopting descriptor: consuming OwnedDescriptor) throws(HostError) {
    let events = try DescriptorEvents(
      SharedDescriptor(descriptor), label: "devconfig.control-channel")
    let inbox = Inbox<ControlMessage>(
      limit: HostLimits.waitingControlMessages, setFlowing: events.setReading)
    let broken = Broken()
    self.events = events
    self.inbox = inbox
    self.broken = broken
    events.setHandlers(onReadable: { ControlChannel.read(events, into: inbox, broken) })
    events.setReading(true)
  }

  deinit {
    close()
  }

  /// A connected pair: the agent's end, and the end for the session's process.
  ///
  /// Throws `HostError` with `EMFILE` or `ENFILE` where descriptors ran out.
  public static func pair() throws(HostError) -> ControlPair {
    var ends: [Int32] = [-1, -1]
    let type = Int32(SOCK_SEQPACKET.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    // SAFETY: the array has room for the two numbers.
    guard unsafe socketpair(AF_UNIX, type, 0, &ends) == 0 else {
      throw HostError("make control sockets", "", .current)
    }
    let agentEnd = OwnedDescriptor(adopting: ends[0])
    let session = OwnedDescriptor(adopting: ends[1])
    enlarge(agentEnd.rawValue)
    enlarge(session.rawValue)
    return ControlPair(agent: try ControlChannel(adopting: agentEnd), session: session)
  }

  /// What the session says, in order, for one consumer; ends when the session is gone, with `close`,
  /// and after a message that broke a limit (see `failure`).
  public var incoming: AsyncStream<ControlMessage> {
    AsyncStream { await self.inbox.next() }
  }

  /// Why `incoming` ended, where it was not a proper end: `EMSGSIZE` for a message beyond the limits.
  public var failure: HostError? { broken.error.withLock { $0 } }

  /// Sends one packet of `HostLimits.controlMessageLength` bytes at most, with 4 descriptors at most.
  ///
  /// The numbers are duplicated by the kernel; the caller keeps its own. Never waits. Throws
  /// `HostError`: `EAGAIN` where the session does not read (it is stuck), `EPIPE` or `ECONNRESET`
  /// where it is gone, `EMSGSIZE` beyond the limits, `EBADF` for a number that is not open and after `close`.
  public func send(_ bytes: [UInt8], descriptors: [Int32] = []) throws(HostError) {
    let result = events.withDescriptor { socket in
      Result { () throws(HostError) in
        try ControlMessage.send(bytes, descriptors, on: socket, flags: Int32(MSG_DONTWAIT))
      }
    }
    guard let result else { throw HostError("send control message", "", .badFileDescriptor) }
    try result.get()
  }

  /// A second descriptor for this end, to keep it open over a restart of the agent.
  ///
  /// Throws `HostError`: `EMFILE` where the process has no number left, `EBADF` after `close`.
  public func duplicate() throws(HostError) -> OwnedDescriptor {
    let result = events.withDescriptor { socket in
      Result { () throws(HostError) in SharedDescriptor(try OwnedDescriptor.duplicating(socket)) }
    }
    guard let result else { throw HostError("duplicate control socket", "", .badFileDescriptor) }
    return try result.get().duplicate()
  }

  /// False where the other side of `descriptor`, an end of a pair, is closed.
  public static func isConnected(_ descriptor: borrowing OwnedDescriptor) -> Bool {
    var request = pollfd(fd: descriptor.rawValue, events: 0, revents: 0)
    // SAFETY: one entry, as the count says; it does not wait.
    return unsafe poll(&request, 1, 0) == 0
  }

  /// Ends the connection, which the session sees; harmless the second time.
  public func close() {
    _ = events.withDescriptor { shutdown($0, Int32(SHUT_RDWR)) }
    events.cancel()
    inbox.finish()
  }

  /// Reads until nothing is there, the inbox is full, or the session has ended or broken a limit.
  private static func read(
    _ events: DescriptorEvents, into inbox: Inbox<ControlMessage>, _ broken: Broken
  ) {
    while true {
      let result = events.withDescriptor { socket in
        Result { () throws(HostError) in
          try ControlMessage.receive(on: socket, flags: Int32(MSG_DONTWAIT))
        }
      }
      switch result {
      case .success(let message?)?:
        guard inbox.offer(message) else { return }
        continue
      case .failure(let error)? where error.code == .resourceTemporarilyUnavailable:
        return
      case .failure(let error)?:
        broken.error.withLock { $0 = error }
      case .success(nil)?, nil:
        break
      }
      // The end, or a session that breaks the rules: nothing it says later counts.
      events.setReading(false)
      _ = events.withDescriptor { shutdown($0, Int32(SHUT_RDWR)) }
      inbox.finish()
      return
    }
  }

  /// Makes room for a message of the largest size; a packet counts twice with its bookkeeping.
  private static func enlarge(_ descriptor: Int32) {
    let wanted = Int32(2 * HostLimits.controlMessageLength)
    do throws(HostError) {
      try SocketOptions.set(descriptor, SOL_SOCKET, SO_SNDBUFFORCE, wanted, "set SO_SNDBUFFORCE")
    } catch {
      // Without CAP_NET_ADMIN up to net.core.wmem_max, whose default suffices for one message.
      try? SocketOptions.set(descriptor, SOL_SOCKET, SO_SNDBUF, wanted, "set SO_SNDBUF")
    }
  }
}

/// The two ends that `ControlChannel.pair` makes.
public struct ControlPair: ~Copyable, Sendable {
  /// The agent's end.
  public let agent: ControlChannel
  private let session: OwnedDescriptor

  init(agent: ControlChannel, session: consuming OwnedDescriptor) {
    self.agent = agent
    self.session = session
  }

  /// The other end, blocking and close-on-exec, for `SessionProcess.start` or `ControlSocket`.
  public consuming func takeSession() -> OwnedDescriptor {
    session
  }
}
