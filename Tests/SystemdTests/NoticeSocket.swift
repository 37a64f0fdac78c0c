// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import Glibc

/// A service manager's end of the notify socket.
final class NoticeSocket {
  let path: String
  private let descriptor: Int32

  /// Binds a datagram socket; `abstract` for a name that is not in the file system.
  init?(abstract: Bool = false) {
    let unique = "devconfig-notify-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
    path = abstract ? "@\(unique)" : "/tmp/\(unique)"
    descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    var name = Array(path.utf8)
    if abstract { name[0] = 0 }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
    let length = socklen_t(MemoryLayout<sa_family_t>.size + name.count)
    var timeout = timeval(tv_sec: 5, tv_usec: 0)
    setsockopt(
      descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
    let result = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
    }
    guard result == 0 else { return nil }
  }

  deinit {
    close(descriptor)
    if path.hasPrefix("/") { unlink(path) }
  }

  /// The next datagram as text; `nil` after five seconds.
  func receive() -> String? {
    var buffer = [UInt8](repeating: 0, count: 65536)
    let count = recv(descriptor, &buffer, buffer.count, 0)
    return count < 0 ? nil : String(decoding: buffer.prefix(count), as: UTF8.self)
  }

  /// The next datagram with the one descriptor beside it, which the caller closes.
  func receiveWithDescriptor() -> (text: String, descriptor: Int32)? {
    var buffer = [UInt8](repeating: 0, count: 4096)
    // A header of 16 bytes, then the number (cmsg(3), on 64 bits).
    var control = [UInt64](repeating: 0, count: 3)
    let count = buffer.withUnsafeMutableBytes { bytes in
      control.withUnsafeMutableBytes { room in
        var piece = iovec(iov_base: bytes.baseAddress, iov_len: bytes.count)
        return withUnsafeMutablePointer(to: &piece) { pieces in
          var message = msghdr()
          message.msg_iov = pieces
          message.msg_iovlen = 1
          message.msg_control = room.baseAddress
          message.msg_controllen = room.count
          return recvmsg(descriptor, &message, 0)
        }
      }
    }
    guard count >= 0, control[0] == 20 else { return nil }
    return (
      String(decoding: buffer.prefix(count), as: UTF8.self), Int32(truncatingIfNeeded: control[2])
    )
  }
}
