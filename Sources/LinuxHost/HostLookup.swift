// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

private import Glibc

/// Addresses of a host name, through the system's resolver.
public enum HostLookup {
  /// The most addresses returned.
  public static let maximumAddresses = 8

  /// The addresses of `host`, a name or numbers, in the resolver's order; empty where there is none.
  ///
  /// Blocks while the resolver asks the network: call it on a thread of its own.
  public static func addresses(of host: String, port: UInt16) -> [NetworkAddress] {
    var hints = unsafe addrinfo()
    unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    unsafe hints.ai_flags = AI_ADDRCONFIG
    var list: UnsafeMutablePointer<addrinfo>?
    // SAFETY: `list` is set by getaddrinfo only when it returns 0, and freed once below.
    guard unsafe getaddrinfo(host, nil, &hints, &list) == 0, let first = unsafe list else {
      return []
    }
    defer { unsafe freeaddrinfo(first) }
    var addresses: [NetworkAddress] = []
    var next: UnsafeMutablePointer<addrinfo>? = unsafe first
    while let entry = unsafe next, addresses.count < maximumAddresses {
      var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
      // SAFETY: address and length come from the same entry; `text` has room for NI_MAXHOST bytes.
      let status = unsafe getnameinfo(
        entry.pointee.ai_addr, entry.pointee.ai_addrlen, &text, socklen_t(text.count), nil, 0,
        NI_NUMERICHOST)
      if status == 0 {
        let bytes = text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        if let address = NetworkAddress(numeric: String(decoding: bytes, as: UTF8.self), port: port)
        {
          addresses.append(address)
        }
      }
      unsafe next = entry.pointee.ai_next
    }
    return addresses
  }
}
