// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

private import Glibc
public import LinuxHost
private import SystemPackage

/// A TCP port of the loopback interface on which a test plays the exporter.
public struct LoopbackPeerListener: ~Copyable, Sendable {
  private let descriptor: OwnedDescriptor
  /// The port, chosen by the kernel.
  public let port: UInt16

  /// Listens on 127.0.0.1; throws `HostError` with the kernel's answer.
  public init() throws(HostError) {
    let number = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard number >= 0 else { throw HostError("make socket", "", Errno(rawValue: errno)) }
    let owned = OwnedDescriptor(adopting: number)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let result = withUnsafeMutablePointer(to: &address) { whole in
      whole.withMemoryRebound(to: sockaddr.self, capacity: 1) { start in
        bind(number, start, length) == 0 && listen(number, 4) == 0
          && getsockname(number, start, &length) == 0
      }
    }
    guard result else { throw HostError("listen", "", Errno(rawValue: errno)) }
    descriptor = owned
    port = UInt16(bigEndian: address.sin_port)
  }

  /// Two ends of a new connection over TCP, which a test can break as a network does.
  ///
  /// Throws `HostError` with the kernel's answer.
  public borrowing func connect() throws(HostError) -> SessionHarness.Pair {
    let number = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard number >= 0 else { throw HostError("make socket", "", Errno(rawValue: errno)) }
    let test = OwnedDescriptor(adopting: number)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    address.sin_port = port.bigEndian
    let isConnected = withUnsafePointer(to: &address) { whole in
      whole.withMemoryRebound(to: sockaddr.self, capacity: 1) { start in
        Glibc.connect(number, start, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
    guard isConnected else { throw HostError("connect", "", Errno(rawValue: errno)) }
    let session = Glibc.accept(descriptor.rawValue, nil, nil)
    guard session >= 0 else { throw HostError("accept", "", Errno(rawValue: errno)) }
    return SessionHarness.Pair(test: test, session: OwnedDescriptor(adopting: session))
  }

  /// The next connection; throws `HostError` with `ETIMEDOUT` where none comes.
  public borrowing func accept() throws(HostError) -> LoopbackPeer {
    try BackgroundThread.wait(for: descriptor.rawValue)
    let number = Glibc.accept(descriptor.rawValue, nil, nil)
    guard number >= 0 else { throw HostError("accept", "", Errno(rawValue: errno)) }
    return LoopbackPeer(OwnedDescriptor(adopting: number), devid: 0)
  }
}
