// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import CAvahi
internal import USBModel

extension AvahiSession {
  /// Announces a device, in place of what stands for it; throws what Avahi says.
  ///
  /// False where the daemon itself has the name already; a collision on the LAN comes as a fact later.
  func put(_ busID: BusID, _ standing: LocalInventory.Standing) throws(DiscoveryOutage) -> Bool {
    remove(busID)
    let group = unsafe avahi_entry_group_new(
      connection,
      { group, state, context in
        guard let group = unsafe group else { return }
        unsafe AvahiSession.of(context)?.groupChanged(group, state)
      }, context)
    guard let group = unsafe group else { throw lastOutage }
    unsafe groups[busID] = unsafe group

    let text = unsafe AvahiSession.list(standing.entries)
    defer { unsafe avahi_string_list_free(text) }
    var code = unsafe avahi_entry_group_add_service_strlst(
      group, Int32(AVAHI_IF_UNSPEC), Int32(AVAHI_PROTO_UNSPEC), AvahiPublishFlags(0),
      standing.name, AvahiSession.serviceType, nil, nil, standing.port, text)
    if code >= 0 { code = unsafe avahi_entry_group_commit(group) }
    guard code < 0 else { return true }
    remove(busID)
    if code == Int32(AVAHI_ERR_COLLISION) { return false }
    throw AvahiSession.outage(code)
  }

  /// Changes the TXT record in place, without a goodbye; throws what Avahi says.
  func updateText(
    _ busID: BusID, _ standing: LocalInventory.Standing
  ) throws(DiscoveryOutage) {
    guard let group = unsafe groups[busID] else { return }
    let text = unsafe AvahiSession.list(standing.entries)
    defer { unsafe avahi_string_list_free(text) }
    let code = unsafe avahi_entry_group_update_service_txt_strlst(
      group, Int32(AVAHI_IF_UNSPEC), Int32(AVAHI_PROTO_UNSPEC), AvahiPublishFlags(0),
      standing.name, AvahiSession.serviceType, nil, text)
    guard code >= 0 else { throw AvahiSession.outage(code) }
  }

  /// Ends an announcement; nothing where there is none.
  func remove(_ busID: BusID) {
    guard let group = unsafe groups.removeValue(forKey: busID) else { return }
    _ = unsafe avahi_entry_group_free(group)
  }

  /// Ends all announcements.
  func removeAll() {
    for busID in unsafe Array(groups.keys) { remove(busID) }
  }

  private func groupChanged(_ group: OpaquePointer, _ state: AvahiEntryGroupState) {
    guard let busID = unsafe groups.first(where: { unsafe $0.value == group })?.key else { return }
    switch state {
    case AVAHI_ENTRY_GROUP_COLLISION: note(.collided(busID))
    case AVAHI_ENTRY_GROUP_FAILURE: note(.withdrawn(busID, lastOutage))
    default: break
    }
  }

  /// Builds Avahi's list of strings, which grows at the front; the caller frees it.
  private static func list(_ entries: [[UInt8]]) -> UnsafeMutablePointer<AvahiStringList>? {
    var list: UnsafeMutablePointer<AvahiStringList>?
    for entry in entries {
      unsafe list = unsafe avahi_string_list_add_arbitrary(list, entry, entry.count)
    }
    return unsafe list
  }
}
