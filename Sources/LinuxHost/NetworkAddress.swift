// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

private import CLinux
internal import Glibc

/// An IP address and a TCP port, in numbers.
///
/// An IPv4 address that came mapped into IPv6 (RFC 4291, 2.5.5.2) is kept as IPv4.
public struct NetworkAddress: Sendable, Hashable, CustomStringConvertible {
  /// The address bytes in network order.
  enum Kind: Sendable, Hashable {
    /// Four bytes, the first one most significant.
    case v4(UInt32)
    /// Sixteen bytes, the first one most significant, and an interface index or 0.
    case v6(high: UInt64, low: UInt64, scope: UInt32)
  }

  let kind: Kind
  /// The TCP port in host byte order.
  public let port: UInt16

  init(kind: Kind, port: UInt16) {
    self.port = port
    if case .v6(0, let low, _) = kind, low >> 32 == 0xFFFF {
      self.kind = .v4(UInt32(truncatingIfNeeded: low))
    } else {
      self.kind = kind
    }
  }

  /// Reads `10.9.0.1`, `fe80::1%eth0` or `fe80::1%2`; `nil` for names and anything else.
  ///
  /// A scope must name an interface that this machine has now, or be its index.
  public init?(numeric text: String, port: UInt16) {
    let halves = text.split(separator: "%", maxSplits: 1, omittingEmptySubsequences: false)
    guard let address = halves.first.map(String.init), !address.utf8.contains(0) else { return nil }
    var four = in_addr()
    var six = in6_addr()
    // SAFETY: the string is NUL-terminated, inet_pton fills exactly the structure of its family.
    if halves.count == 1, unsafe inet_pton(AF_INET, address, &four) == 1 {
      self.init(kind: .v4(UInt32(bigEndian: four.s_addr)), port: port)
      return
    }
    guard unsafe inet_pton(AF_INET6, address, &six) == 1 else { return nil }
    var scope: UInt32 = 0
    if halves.count == 2 {
      guard let index = NetworkAddress.interfaceIndex(String(halves[1])) else { return nil }
      scope = index
    }
    self.init(kind: NetworkAddress.kind(of: six, scope: scope), port: port)
  }

  /// The address without its port, as `init(numeric:port:)` reads it.
  public var host: String { text(scope: NetworkAddress.interfaceName) }

  /// The same with the interface by its index: whoever reads that needs not look at the interfaces of
  /// this machine, which takes a socket.
  public var numericHost: String { text { String($0) } }

  /// True where only root can have sent from this port (`IPPORT_RESERVED`, netinet/in.h).
  public var isPrivileged: Bool { port < 1024 }

  /// All addresses of this family.
  var unspecified: NetworkAddress {
    switch kind {
    case .v4: NetworkAddress(kind: .v4(0), port: port)
    case .v6: NetworkAddress(kind: .v6(high: 0, low: 0, scope: 0), port: port)
    }
  }

  /// `description` with `numericHost`, for who may make no socket.
  var numericDescription: String {
    switch kind {
    case .v4: return "\(numericHost):\(port)"
    case .v6: return "[\(numericHost)]:\(port)"
    }
  }

  private func text(scope name: (UInt32) -> String) -> String {
    // 64 bytes hold both forms: INET6_ADDRSTRLEN is 46.
    var text = [UInt8](repeating: 0, count: 64)
    switch kind {
    case .v4(let bits):
      var address = in_addr(s_addr: bits.bigEndian)
      unsafe text.withUnsafeMutableBytes { buffer in
        // SAFETY: inet_ntop writes at most `count` bytes, NUL included.
        _ = unsafe inet_ntop(AF_INET, &address, buffer.baseAddress, socklen_t(buffer.count))
      }
      return String(decoding: text.prefix { $0 != 0 }, as: UTF8.self)
    case .v6(let high, let low, let scope):
      var address = NetworkAddress.bytes(high: high, low: low)
      unsafe text.withUnsafeMutableBytes { buffer in
        // SAFETY: as above.
        _ = unsafe inet_ntop(AF_INET6, &address, buffer.baseAddress, socklen_t(buffer.count))
      }
      let numbers = String(decoding: text.prefix { $0 != 0 }, as: UTF8.self)
      return scope == 0 ? numbers : "\(numbers)%\(name(scope))"
    }
  }

  /// Host and port: `10.9.0.1:3240`, `[fe80::1%eth0]:3240`.
  public var description: String {
    switch kind {
    case .v4: return "\(host):\(port)"
    case .v6: return "[\(host)]:\(port)"
    }
  }

  /// The same host with another port.
  public func with(port: UInt16) -> NetworkAddress {
    NetworkAddress(kind: kind, port: port)
  }

  /// True for an address of this very machine's loopback interface.
  public var isLoopback: Bool {
    switch kind {
    case .v4(let bits): return bits >> 24 == 127
    case .v6(let high, let low, _): return high == 0 && low == 1
    }
  }

  /// The family for socket(2).
  var family: Int32 {
    switch kind {
    case .v4: return AF_INET
    case .v6: return AF_INET6
    }
  }

  static func kind(of address: in6_addr, scope: UInt32) -> Kind {
    let (high, low) = unsafe withUnsafeBytes(of: address) { bytes in
      // SAFETY: in6_addr is 16 bytes.
      unsafe (
        UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self)),
        UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
      )
    }
    return .v6(high: high, low: low, scope: scope)
  }

  static func bytes(high: UInt64, low: UInt64) -> in6_addr {
    var address = in6_addr()
    unsafe withUnsafeMutableBytes(of: &address) { bytes in
      // SAFETY: in6_addr is 16 bytes.
      unsafe bytes.storeBytes(of: high.bigEndian, toByteOffset: 0, as: UInt64.self)
      unsafe bytes.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
    }
    return address
  }

  private static func interfaceIndex(_ text: String) -> UInt32? {
    if let index = UInt32(text) { return index == 0 ? nil : index }
    guard !text.utf8.contains(0) else { return nil }
    // SAFETY: the string is NUL-terminated and lives for the call.
    let index = unsafe if_nametoindex(text)
    return index == 0 ? nil : index
  }

  private static func interfaceName(_ index: UInt32) -> String {
    var text = [UInt8](repeating: 0, count: Int(IF_NAMESIZE))
    let found = unsafe text.withUnsafeMutableBytes { buffer in
      // SAFETY: if_indextoname writes at most IF_NAMESIZE bytes, NUL included.
      unsafe if_indextoname(index, buffer.bindMemory(to: CChar.self).baseAddress) != nil
    }
    return found ? String(decoding: text.prefix { $0 != 0 }, as: UTF8.self) : String(index)
  }
}
