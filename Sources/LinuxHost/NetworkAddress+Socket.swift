// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import Glibc

extension NetworkAddress {
  /// Lends the address in the form bind(2) and connect(2) take.
  func withSocketAddress<Result>(
    _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
  ) -> Result {
    switch kind {
    case .v4(let bits):
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_port = port.bigEndian
      address.sin_addr.s_addr = bits.bigEndian
      return unsafe lend(&address, to: body)
    case .v6(let high, let low, let scope):
      var address = sockaddr_in6()
      address.sin6_family = sa_family_t(AF_INET6)
      address.sin6_port = port.bigEndian
      address.sin6_addr = NetworkAddress.bytes(high: high, low: low)
      address.sin6_scope_id = scope
      return unsafe lend(&address, to: body)
    }
  }

  private func lend<Address, Result>(
    _ address: inout Address, to body: (UnsafePointer<sockaddr>, socklen_t) -> Result
  ) -> Result {
    // SAFETY: every sockaddr_* begins as a sockaddr; the length says how much there is of it.
    unsafe withUnsafePointer(to: &address) { whole in
      unsafe whole.withMemoryRebound(to: sockaddr.self, capacity: 1) { start in
        unsafe body(start, socklen_t(MemoryLayout<Address>.size))
      }
    }
  }

  /// The address that the socket `number` is bound to; `nil` where it has none.
  init?(localOf number: Int32) {
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    // SAFETY: the structure holds every address; it begins as a sockaddr.
    let result = unsafe withUnsafeMutablePointer(to: &storage) { whole in
      unsafe whole.withMemoryRebound(to: sockaddr.self, capacity: 1) { start in
        unsafe getsockname(number, start, &length)
      }
    }
    guard result == 0 else { return nil }
    self.init(storage)
  }

  /// Reads what accept(2) or getpeername(2) filled in; `nil` for another family.
  init?(_ storage: sockaddr_storage) {
    var storage = storage
    switch Int32(storage.ss_family) {
    case AF_INET:
      // SAFETY: sockaddr_storage is larger than and aligned for every sockaddr_*.
      let address = unsafe withUnsafeBytes(of: &storage) { unsafe $0.load(as: sockaddr_in.self) }
      self.init(
        kind: .v4(UInt32(bigEndian: address.sin_addr.s_addr)),
        port: UInt16(bigEndian: address.sin_port))
    case AF_INET6:
      // SAFETY: as above.
      let address = unsafe withUnsafeBytes(of: &storage) { unsafe $0.load(as: sockaddr_in6.self) }
      self.init(
        kind: NetworkAddress.kind(of: address.sin6_addr, scope: address.sin6_scope_id),
        port: UInt16(bigEndian: address.sin6_port))
    default:
      return nil
    }
  }
}
