// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

private import Glibc
internal import SystemPackage

/// The calls around the data path: connect, look ahead, wait, end.
extension StreamSocket {
  /// Connects to `address` before `deadline`; the socket stays non-blocking.
  ///
  /// Throws `HostError` on `address`: `ETIMEDOUT` at the deadline, else what the network answered.
  public borrowing func connect(
    to address: NetworkAddress, before deadline: ContinuousClock.Instant
  ) throws(HostError) {
    let flags = fcntl(rawValue, F_GETFL)
    guard flags >= 0, fcntl(rawValue, F_SETFL, flags | O_NONBLOCK) == 0 else {
      throw HostError("connect to", address.numericDescription, .current)
    }
    // SAFETY: the address lives for the call, its length is its own.
    let result = unsafe address.withSocketAddress { unsafe Glibc.connect(rawValue, $0, $1) }
    if result == 0 { return }
    let code = Errno.current
    // EINTR too: the kernel goes on connecting (connect(2)).
    guard code == .nowInProgress || code == .interrupted else {
      throw HostError("connect to", address.numericDescription, code)
    }
    do throws(HostError) {
      try wait(for: Int16(POLLOUT), before: deadline)
    } catch {
      throw HostError("connect to", address.numericDescription, error.code)
    }
    let pending = Errno(rawValue: SocketOptions.value(rawValue, SOL_SOCKET, SO_ERROR) ?? 0)
    guard pending.rawValue == 0 else {
      throw HostError("connect to", address.numericDescription, pending)
    }
  }

  /// Makes data calls of the next owner wait again, as a new socket's do.
  ///
  /// Throws `HostError` with the kernel's answer.
  public borrowing func setBlocking() throws(HostError) {
    let flags = fcntl(rawValue, F_GETFL)
    guard flags >= 0, fcntl(rawValue, F_SETFL, flags & ~O_NONBLOCK) == 0 else {
      throw HostError("set socket blocking", "", .current)
    }
  }

  /// Sends all of `bytes` before `deadline`.
  ///
  /// Throws `HostError`: `ETIMEDOUT` at the deadline, else what the kernel answered.
  public borrowing func send(
    _ bytes: [UInt8], before deadline: ContinuousClock.Instant
  ) throws(HostError) {
    var sent = 0
    while sent < bytes.count {
      let result = unsafe bytes.withUnsafeBytes { buffer in
        // SAFETY: `sent` stays below the buffer's count; the kernel reads within it.
        let rest = unsafe UnsafeRawBufferPointer(rebasing: buffer[sent...])
        return unsafe Glibc.send(
          rawValue, rest.baseAddress, rest.count, Int32(MSG_DONTWAIT | MSG_NOSIGNAL))
      }
      if result >= 0 {
        sent += result
        continue
      }
      let code = Errno.current
      switch code {
      case .interrupted: continue
      case .resourceTemporarilyUnavailable: try wait(for: Int16(POLLOUT), before: deadline)
      default: throw HostError("send to peer", "", code)
      }
    }
  }

  /// Receives some bytes before `deadline`, `limit` at most; empty at the end of the stream.
  ///
  /// With `leaving` they stay to be received again. Throws `HostError`: `ETIMEDOUT` at the
  /// deadline, else what the kernel answered.
  public borrowing func receive(
    atMost limit: Int, leaving: Bool = false, before deadline: ContinuousClock.Instant
  ) throws(HostError) -> [UInt8] {
    let flags = Int32(MSG_DONTWAIT) | (leaving ? Int32(MSG_PEEK) : 0)
    while true {
      var bytes = [UInt8](repeating: 0, count: limit)
      let result = unsafe bytes.withUnsafeMutableBytes { buffer in
        // SAFETY: the kernel writes at most the buffer's own length.
        unsafe recv(rawValue, buffer.baseAddress, buffer.count, flags)
      }
      if result >= 0 { return Array(bytes[..<result]) }
      let code = Errno.current
      switch code {
      case .interrupted: continue
      case .resourceTemporarilyUnavailable: try wait(for: Int16(POLLIN), before: deadline)
      default: throw HostError("receive from peer", "", code)
      }
    }
  }

  /// Tells the peer that nothing more comes, and drops what it still sends.
  public borrowing func shutDown() {
    _ = shutdown(rawValue, Int32(SHUT_RDWR))
  }

  /// Tells the peer that nothing more comes; what it still sends can be received.
  public borrowing func endSending() {
    _ = shutdown(rawValue, Int32(SHUT_WR))
  }

  /// Ends the connection so that the peer gets everything that was sent, at most until `deadline`.
  ///
  /// Closing a socket with unread bytes makes the kernel throw unsent ones away (RFC 1122,
  /// 4.2.2.13), so what the peer still sends is read, `limit` bytes at most.
  public borrowing func finish(limit: Int = 1 << 20, before deadline: ContinuousClock.Instant) {
    _ = shutdown(rawValue, Int32(SHUT_WR))
    var dropped = 0
    while dropped < limit, let bytes = try? receive(atMost: 4096, before: deadline),
      !bytes.isEmpty
    {
      dropped += bytes.count
    }
  }

  private borrowing func wait(
    for events: Int16, before deadline: ContinuousClock.Instant
  ) throws(HostError) {
    while true {
      let left = ContinuousClock.now.duration(to: deadline)
      guard left > .zero else { throw HostError("wait for peer", "", .timedOut) }
      var request = pollfd(fd: rawValue, events: events, revents: 0)
      // SAFETY: the kernel reads and writes `request` during the call only.
      let count = unsafe poll(&request, 1, left.pollMilliseconds)
      if count > 0 { return }
      if count < 0 {
        let code = Errno.current
        if code != .interrupted { throw HostError("wait for peer", "", code) }
      }
    }
  }
}

extension Duration {
  /// The time for poll(2) and epoll_wait(2) in ms: rounded up, 0 where it is over, at most a day.
  public var pollMilliseconds: Int32 {
    let (seconds, attoseconds) = components
    if seconds < 0 || attoseconds < 0 { return 0 }
    guard seconds < 86_400 else { return 86_400_000 }
    return Int32(seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
  }
}
