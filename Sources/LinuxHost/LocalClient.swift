// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

private import CLinux
private import Glibc
public import SystemPackage

/// A blocking connection to a `LocalListener`, for the command line.
public final class LocalClient {
  private let descriptor: OwnedDescriptor
  private let path: FilePath
  private var arrived: SharedDescriptor?

  private init(_ descriptor: consuming OwnedDescriptor, path: FilePath) {
    self.descriptor = descriptor
    self.path = path
  }

  /// Connects to the socket at `path`.
  ///
  /// Throws `HostError`: `ENOENT` or `ECONNREFUSED` where nobody listens, `EACCES` without the right.
  public static func connect(to path: FilePath) throws(HostError) -> LocalClient {
    let descriptor = try UnixSocket.make(nonBlocking: false, path: path)
    if let code = try UnixSocket.connect(descriptor, to: path) {
      throw HostError("connect to", path.string, code)
    }
    return LocalClient(descriptor, path: path)
  }

  /// Sends all of `bytes`, waiting up to 10 s for the agent to take them.
  ///
  /// Throws `HostError`: `EPIPE` or `ECONNRESET` where the agent is gone, `ETIMEDOUT`.
  public func send(_ bytes: [UInt8]) throws(HostError) {
    let deadline = Deadline(milliseconds: HostLimits.writeDeadline)
    var sent = 0
    while sent < bytes.count {
      let result = unsafe bytes.withUnsafeBytes { buffer in
        let rest = unsafe UnsafeRawBufferPointer(rebasing: buffer[sent...])
        // SAFETY: send reads `count` bytes of the rest.
        return retryingOnInterrupt {
          unsafe Glibc.send(
            descriptor.rawValue, rest.baseAddress, rest.count,
            Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL))
        }
      }
      switch result {
      case .success(let count): sent += count
      case .failure(.resourceTemporarilyUnavailable):
        guard waitUntilReady(descriptor.rawValue, Int32(POLLOUT), deadline) else {
          throw HostError("send to", path.string, .timedOut)
        }
      case .failure(let code): throw HostError("send to", path.string, code)
      }
    }
  }

  /// The next bytes, as many as are there; `nil` when the agent has closed the connection.
  ///
  /// Waits `milliseconds` at most, without a limit for `nil`. Throws `HostError`: `ETIMEDOUT`, or
  /// the kernel's code.
  public func receive(deadline milliseconds: Int? = nil) throws(HostError) -> [UInt8]? {
    guard waitUntilReady(descriptor.rawValue, Int32(POLLIN), Deadline(milliseconds: milliseconds))
    else { throw HostError("receive from", path.string, .timedOut) }
    var chunk = [UInt8](repeating: 0, count: HostLimits.chunkLength)
    var numbers = [Int32](repeating: -1, count: HostLimits.controlDescriptors)
    var count = 0
    var truncated: Int32 = 0
    let result = unsafe chunk.withUnsafeMutableBytes { buffer in
      guard let start = buffer.baseAddress else { return Result<Int, Errno>.success(0) }
      // SAFETY: the length is the buffer's, and `numbers` has room for the most that can come.
      return retryingOnInterrupt {
        unsafe clinux_receive_message(
          descriptor.rawValue, start, buffer.count, &numbers, &count, &truncated, 0)
      }
    }
    for number in numbers.prefix(count) {
      arrived = SharedDescriptor(OwnedDescriptor(adopting: number))
    }
    switch result {
    case .success(let length): return length == 0 ? nil : Array(chunk.prefix(length))
    case .failure(let code): throw HostError("receive from", path.string, code)
    }
  }

  /// The descriptor that came last beside what was received; `nil` where none did.
  public func takeDescriptor() -> SharedDescriptor? {
    defer { arrived = nil }
    return arrived
  }
}
