// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

private import CLinux
internal import Glibc

/// Sends one datagram to a UNIX socket.
enum NotifySocket {
  /// `path` is a path, or `@` and an abstract name; `descriptors` go beside the bytes (unix(7), SCM_RIGHTS).
  ///
  /// False where it could not be delivered.
  static func send(_ bytes: [UInt8], descriptors: [Int32] = [], to path: String) -> Bool {
    var address = sockaddr_un()
    let name = Array(path.utf8)
    // The last byte stays NUL (unix(7)); an abstract name could use it, which nobody does.
    guard name.first == UInt8(ascii: "/") || name.first == UInt8(ascii: "@"),
      name.count < MemoryLayout.size(ofValue: address.sun_path)
    else { return false }
    address.sun_family = sa_family_t(AF_UNIX)
    // SAFETY: the length was checked above against this very field.
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { field in
      unsafe field.copyBytes(from: name)
      if name.first == UInt8(ascii: "@") { unsafe field[0] = 0 }
    }
    let prefix = MemoryLayout<sockaddr_un>.offset(of: \.sun_path) ?? 2
    let length = socklen_t(prefix + name.count)

    let descriptor = socket(
      AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    // SAFETY: `address`, `bytes` and `descriptors` live through the calls, and the lengths are theirs.
    let isConnected = unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
        unsafe connect(descriptor, generic, length) == 0
      }
    }
    guard isConnected else { return false }
    // SAFETY: as above.
    return unsafe bytes.withUnsafeBytes { buffer in
      unsafe descriptors.withUnsafeBufferPointer { numbers in
        guard let start = buffer.baseAddress else { return false }
        return unsafe clinux_send_message(
          descriptor, start, buffer.count, numbers.baseAddress, numbers.count, 0) == buffer.count
      }
    }
  }
}
