// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

private import CLinux
private import Glibc
internal import SystemPackage

/// One packet between the agent and a session process, with the descriptors beside it.
public struct ControlMessage: Sendable {
  /// The packet, 1 byte to `HostLimits.controlMessageLength`.
  public let bytes: [UInt8]
  /// What came beside it, in the sender's order, close-on-exec; closed with the last share of each.
  public let descriptors: [SharedDescriptor]

  /// Takes both parts.
  public init(bytes: [UInt8], descriptors: [SharedDescriptor] = []) {
    self.bytes = bytes
    self.descriptors = descriptors
  }

  /// Sends one packet with sendmsg(2); the kernel duplicates the descriptors (unix(7), SCM_RIGHTS).
  static func send(
    _ bytes: [UInt8], _ descriptors: [Int32], on socket: Int32, flags: Int32
  ) throws(HostError) {
    // An empty packet would look like the end of the connection.
    guard !bytes.isEmpty, bytes.count <= HostLimits.controlMessageLength,
      descriptors.count <= HostLimits.controlDescriptors
    else { throw HostError("send control message", "\(bytes.count) bytes", .messageTooLong) }
    let result = unsafe bytes.withUnsafeBytes { buffer in
      unsafe descriptors.withUnsafeBufferPointer { numbers in
        guard let start = buffer.baseAddress else { return Result<Int, Errno>.success(0) }
        // SAFETY: both lengths are those of the buffers.
        return retryingOnInterrupt {
          unsafe clinux_send_message(
            socket, start, buffer.count, numbers.baseAddress, numbers.count, flags)
        }
      }
    }
    // A packet goes whole or not at all.
    if case .failure(let code) = result { throw HostError("send control message", "", code) }
  }

  /// Receives one packet; `nil` at the end of the connection.
  ///
  /// Throws `HostError`: `EMSGSIZE` where bytes or descriptors did not fit, all of which are dropped
  /// and closed then; `EAGAIN` where nothing is there and `flags` says not to wait.
  static func receive(on socket: Int32, flags: Int32) throws(HostError) -> ControlMessage? {
    var bytes = [UInt8](repeating: 0, count: HostLimits.controlMessageLength)
    var numbers = [Int32](repeating: -1, count: HostLimits.controlDescriptors)
    var count = 0
    var truncated: Int32 = 0
    let result = unsafe bytes.withUnsafeMutableBytes { buffer in
      guard let start = buffer.baseAddress else { return Result<Int, Errno>.success(0) }
      // SAFETY: the length is the buffer's, and `numbers` has room for the most that can come.
      return retryingOnInterrupt {
        unsafe clinux_receive_message(
          socket, start, buffer.count, &numbers, &count, &truncated, flags)
      }
    }
    let descriptors = numbers.prefix(count).map { SharedDescriptor(OwnedDescriptor(adopting: $0)) }
    switch result {
    case .success where truncated != 0:
      throw HostError("receive control message", "", .messageTooLong)
    case .success(0):
      return nil
    case .success(let length):
      return ControlMessage(bytes: Array(bytes.prefix(length)), descriptors: descriptors)
    case .failure(let code):
      throw HostError("receive control message", "", code)
    }
  }
}
