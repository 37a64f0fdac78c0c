// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

private import Glibc
internal import SystemPackage

/// One end of a connection, a byte stream or a UNIX socket that keeps packets apart; its calls never block and never raise SIGPIPE.
///
/// Results of the data calls are plain numbers (bytes, or a negative errno) because they sit on the
/// path of every URB: `-EAGAIN` is an everyday answer there, not an error.
public struct StreamSocket: ~Copyable, Sendable {
  private let descriptor: OwnedDescriptor

  /// Takes over a connected socket.
  public init(_ descriptor: consuming OwnedDescriptor) {
    self.descriptor = descriptor
  }

  /// The number, for polling and for messages.
  public var rawValue: Int32 { descriptor.rawValue }

  /// The answer of a call that would have had to wait.
  public static let wouldBlock = -Int(EAGAIN)

  /// Gives the descriptor away.
  public consuming func release() -> OwnedDescriptor { descriptor }

  /// Receives at most `count` bytes: their number, 0 at the end of the stream, or a negative errno.
  public borrowing func receive(into memory: UnsafeMutableRawPointer, count: Int) -> Int {
    while true {
      // SAFETY: the kernel writes at most `count` bytes; the caller's memory holds as many.
      let result = unsafe recv(descriptor.rawValue, memory, count, Int32(MSG_DONTWAIT))
      if result >= 0 { return result }
      let code = errno
      if code != EINTR { return -Int(code) }
    }
  }

  /// Receives into two pieces of memory in order; the result is as in `receive(into:count:)`.
  public borrowing func receive(
    into first: UnsafeMutableRawPointer, count firstCount: Int,
    then second: UnsafeMutableRawPointer, count secondCount: Int
  ) -> Int {
    var pieces = unsafe (
      iovec(iov_base: first, iov_len: firstCount), iovec(iov_base: second, iov_len: secondCount)
    )
    return unsafe withUnsafeMutablePointer(to: &pieces) { pair in
      var header = unsafe msghdr()
      // SAFETY: a homogeneous tuple is laid out like an array of two (SE-0324 documents the C rule).
      unsafe header.msg_iov = UnsafeMutableRawPointer(pair).assumingMemoryBound(to: iovec.self)
      unsafe header.msg_iovlen = 2
      while true {
        // SAFETY: `header` and both pieces outlive the call; the lengths are the caller's memory.
        let result = unsafe recvmsg(
          descriptor.rawValue, &header, Int32(MSG_DONTWAIT))
        if result >= 0 { return result }
        let code = errno
        if code != EINTR { return -Int(code) }
      }
    }
  }

  /// Sends the pieces with one sendmsg(2): the number of bytes taken, or a negative errno.
  public borrowing func send(_ list: borrowing GatherList) -> Int {
    var header = unsafe msghdr()
    unsafe header.msg_iov = list.pieces
    unsafe header.msg_iovlen = list.count
    while true {
      // SAFETY: `list` is borrowed for the whole call; its pieces are kept alive by its filler.
      let result = unsafe sendmsg(
        descriptor.rawValue, &header,
        Int32(MSG_DONTWAIT | MSG_NOSIGNAL))
      if result >= 0 { return result }
      let code = errno
      if code != EINTR { return -Int(code) }
    }
  }
}
