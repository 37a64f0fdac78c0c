// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import Glibc
internal import SystemPackage

/// Stream sockets with a path (unix(7)).
enum UnixSocket {
  /// A close-on-exec socket; non-blocking for the agent, blocking for the command line.
  static func make(nonBlocking: Bool, path: FilePath) throws(HostError) -> OwnedDescriptor {
    let flags = Int32(SOCK_CLOEXEC.rawValue) | (nonBlocking ? Int32(SOCK_NONBLOCK.rawValue) : 0)
    let number = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | flags, 0)
    guard number >= 0 else { throw HostError("make socket for", path.string, .current) }
    return OwnedDescriptor(adopting: number)
  }

  /// Lends `path` in the form bind(2) and connect(2) take; `ENAMETOOLONG` beyond 107 bytes.
  static func withAddress(
    _ path: FilePath, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
  ) throws(HostError) -> Int32 {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.string.utf8)
    guard !bytes.isEmpty, bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
      throw HostError("use as socket path", path.string, .fileNameTooLong)
    }
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { field in
      // SAFETY: the text is shorter than the field, whose rest stays zero.
      unsafe field.copyBytes(from: bytes)
    }
    // SAFETY: every sockaddr_* begins as a sockaddr; the length says how much there is of it.
    return unsafe withUnsafePointer(to: &address) { whole in
      unsafe whole.withMemoryRebound(to: sockaddr.self, capacity: 1) { start in
        unsafe body(start, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
  }

  /// connect(2) on a path; the kernel's answer for the caller to judge.
  static func connect(
    _ descriptor: borrowing OwnedDescriptor, to path: FilePath
  ) throws(HostError) -> Errno? {
    let number = descriptor.rawValue
    let result = try unsafe withAddress(path) { address, length in
      unsafe Glibc.connect(number, address, length)
    }
    return result == 0 ? nil : .current
  }

  /// recv(2) of `HostLimits.chunkLength` bytes at most; nothing at the end of the stream.
  static func receive(_ descriptor: Int32, flags: Int32) -> Result<[UInt8], Errno> {
    var chunk = [UInt8](repeating: 0, count: HostLimits.chunkLength)
    let result = unsafe chunk.withUnsafeMutableBytes { buffer in
      // SAFETY: recv fills at most `count` bytes.
      retryingOnInterrupt { unsafe recv(descriptor, buffer.baseAddress, buffer.count, flags) }
    }
    return result.map { count in Array(chunk.prefix(count)) }
  }
}
