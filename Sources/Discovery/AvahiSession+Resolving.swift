// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import CAvahi
internal import Glibc

extension AvahiSession {
  /// Starts to resolve what the browser found, and keeps at it: later changes of the TXT record
  /// come too.
  ///
  /// False where the daemon or the limit does not allow it now.
  func resolve(_ target: Target) -> Bool {
    guard resolvers[target] == nil else { return true }
    guard let client = takeClient() else { return false }
    // The addresses asked for are those of the protocol it was seen over, so that each is reachable
    // that way.
    let resolver = unsafe avahi_service_resolver_new(
      connection(client), target.place.interface, target.place.networkProtocol, target.instance,
      AvahiSession.serviceType, nil, target.place.networkProtocol, AvahiLookupFlags(0),
      { resolver, interface, _, event, _, _, _, host, address, port, text, _, context in
        guard let session = unsafe AvahiSession.of(context),
          let resolver = unsafe resolver, let target = unsafe session.targets[resolver]
        else { return }
        guard event == AVAHI_RESOLVER_FOUND else {
          // After a timeout avahi-daemon still listens, and tells when there is an answer.
          let client = unsafe avahi_service_resolver_get_client(resolver)
          let isOver = unsafe avahi_client_errno(client) != Int32(AVAHI_ERR_TIMEOUT)
          session.note(.unresolved(target.instance, target.place, isOver: isOver))
          return
        }
        let resolution = unsafe RemoteInventory.Resolution(
          // SAFETY: Avahi's host name ends with NUL and lives through the callback.
          host: host.map { unsafe String(cString: $0) } ?? "",
          address: AvahiSession.address(address, interface: interface), port: port,
          entries: AvahiSession.entries(text))
        session.note(.resolved(target.instance, target.place, resolution))
      }, context)
    guard let resolver = unsafe resolver else {
      giveClient(client)
      return false
    }
    resolvers[target] = unsafe Resolver(handle: resolver, client: client)
    unsafe targets[resolver] = target
    return true
  }

  /// Ends the work on a target; nothing where there is none.
  func endResolving(_ target: Target) {
    guard let resolver = resolvers.removeValue(forKey: target) else { return }
    unsafe targets[resolver.handle] = nil
    giveClient(resolver.client)
    _ = unsafe avahi_service_resolver_free(resolver.handle)
  }

  /// Copies an address; an IPv6 link-local one gets the interface's name as its scope.
  private static func address(
    _ pointer: UnsafePointer<AvahiAddress>?, interface: Int32
  ) -> ResolvedAddress? {
    guard let pointer = unsafe pointer else { return nil }
    var text = [CChar](repeating: 0, count: Int(AVAHI_ADDRESS_STR_MAX))
    guard unsafe avahi_address_snprint(&text, text.count, pointer) != nil else { return nil }
    // SAFETY: the union has room for both; `proto` says which one is meant. Both are in network order.
    let bytes = unsafe withUnsafeBytes(of: pointer.pointee.data) { data in
      unsafe Array(data.prefix(pointer.pointee.proto == AVAHI_PROTO_INET ? 4 : 16))
    }
    return ResolvedAddress(
      bytes: bytes, text: AvahiSession.string(text), scope: scope(of: interface))
  }

  private static func scope(of interface: Int32) -> String {
    var name = [CChar](repeating: 0, count: Int(IF_NAMESIZE))
    guard let index = UInt32(exactly: interface), unsafe if_indextoname(index, &name) != nil else {
      return String(interface)
    }
    return string(name)
  }

  private static func string(_ buffer: [CChar]) -> String {
    String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// Copies the strings of a TXT record, the last of Avahi's list first: it is built from the end.
  private static func entries(_ list: UnsafeMutablePointer<AvahiStringList>?) -> [[UInt8]] {
    var entries: [[UInt8]] = []
    var item = unsafe list
    while let current = unsafe item {
      // SAFETY: `size` bytes lie behind `text`; the list lives through the callback.
      let bytes = unsafe UnsafeBufferPointer(
        start: avahi_string_list_get_text(current), count: avahi_string_list_get_size(current))
      unsafe entries.append(Array(bytes))
      unsafe item = unsafe avahi_string_list_get_next(current)
    }
    return entries.reversed()
  }
}
