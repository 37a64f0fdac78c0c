// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

private import Glibc
internal import SystemPackage

/// The session's end of its control socket: blocking, for a process with one thread.
public struct ControlSocket: ~Copyable, Sendable {
  private let descriptor: OwnedDescriptor

  /// Takes over the end that the agent passed.
  public init(adopting descriptor: consuming OwnedDescriptor) {
    self.descriptor = descriptor
  }

  /// The number, for epoll.
  public var rawValue: Int32 { descriptor.rawValue }

  /// Sends one packet of `HostLimits.controlMessageLength` bytes at most, with 4 descriptors at most.
  ///
  /// Waits up to `milliseconds` while the agent does not read. Throws `HostError`: `ETIMEDOUT`,
  /// `EPIPE` or `ECONNRESET` where the agent is gone, `EMSGSIZE` beyond the limits.
  public borrowing func send(
    _ bytes: [UInt8], descriptors: [Int32] = [],
    deadline milliseconds: Int = HostLimits.writeDeadline
  ) throws(HostError) {
    let deadline = Deadline(milliseconds: milliseconds)
    while true {
      do throws(HostError) {
        return try ControlMessage.send(bytes, descriptors, on: rawValue, flags: Int32(MSG_DONTWAIT))
      } catch  where error.code == .resourceTemporarilyUnavailable {
        guard waitUntilReady(rawValue, Int32(POLLOUT), deadline) else {
          throw HostError("send control message", "", .timedOut)
        }
      }
    }
  }

  /// Receives one packet; `nil` when the agent has closed its end.
  ///
  /// Waits `milliseconds` at most, 0 does not wait, `nil` waits without a limit. Throws `HostError`:
  /// `ETIMEDOUT`, `EMSGSIZE` for a packet beyond the limits, `ECONNRESET` where the agent was killed
  /// with packets unread.
  public borrowing func receive(
    deadline milliseconds: Int?
  ) throws(HostError) -> ControlMessage? {
    let deadline = Deadline(milliseconds: milliseconds)
    while true {
      guard waitUntilReady(rawValue, Int32(POLLIN), deadline) else {
        throw HostError("receive control message", "", .timedOut)
      }
      do throws(HostError) {
        return try ControlMessage.receive(on: rawValue, flags: Int32(MSG_DONTWAIT))
      } catch  where error.code == .resourceTemporarilyUnavailable {
        // poll(2) may be wrong about readiness; the time goes on.
        continue
      }
    }
  }
}
