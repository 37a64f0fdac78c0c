// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import CAvahi
internal import USBModel

/// One connection to avahi-daemon with all that hangs on it; after a failure a new one is made.
///
/// Avahi's callbacks only write down what they were told. The loop takes the facts afterwards, so
/// nothing is freed or made while Avahi is in the middle of something. One thread only.
@safe final class AvahiSession {
  /// Where the connection stands.
  enum Link: Sendable, Hashable {
    /// On the bus, without a daemon.
    case connecting
    /// The daemon is there; its host name is not settled.
    case registering
    /// Another machine has the host name; the daemon is about to take another.
    case collision
    case running
    case failed(DiscoveryOutage)
  }

  /// What a callback was told.
  enum Fact: Sendable {
    case appeared(String, RemoteInventory.Place)
    case vanished(String, RemoteInventory.Place)
    case resolved(String, RemoteInventory.Place, RemoteInventory.Resolution)
    /// `isOver` where the resolver will not go on by itself.
    case unresolved(String, RemoteInventory.Place, isOver: Bool)
    case collided(BusID)
    case withdrawn(BusID, DiscoveryOutage)
  }

  /// Avahi's handle, and the number of the client it belongs to.
  @safe struct Resolver {
    let handle: OpaquePointer
    let client: Int
  }

  /// Name and place of what a resolver works on.
  struct Target: Sendable, Hashable {
    let instance: String
    let place: RemoteInventory.Place
  }

  /// DNS-SD service type of USB/IP.
  static let serviceType = "_usbip._tcp"
  /// The most resolvers of one client; with the announcements they stay below the daemon's limit of
  /// 1,024 objects for each (`objects-per-client-max` of avahi-daemon.conf(5)).
  static let resolversPerClient = 704
  /// The most clients: enough to resolve `RemoteInventory.maximumInstances` over IPv4 and IPv6.
  static let maximumClients = 6

  /// Where the connection stands now.
  var link = Link.connecting
  private var facts: [Fact] = []
  private let poll: DirectoryPoll

  // SAFETY: all handles belong to `client`, which lives from init to deinit. Avahi gets an unretained
  // pointer to this object with each, and calls back only from its loop while the client lives.
  private var client: OpaquePointer?
  private var browser: OpaquePointer?
  /// Further clients, for resolvers only; and how many of those each one has, `client` first.
  private var moreClients: [OpaquePointer] = unsafe []
  private var load = [0]
  var resolvers: [Target: Resolver] = [:]
  var targets: [OpaquePointer: Target] = unsafe [:]
  var groups: [BusID: OpaquePointer] = unsafe [:]

  /// Connects to the system bus, which may block for some time; throws `.noBus` or `.failure`.
  init(poll: DirectoryPoll) throws(DiscoveryOutage) {
    self.poll = poll
    var code: Int32 = 0
    unsafe client = unsafe avahi_client_new(
      poll.interface, AVAHI_CLIENT_NO_FAIL,
      { _, state, context in unsafe AvahiSession.of(context)?.clientChanged(state) }, context,
      &code)
    guard unsafe client == nil else { return }
    // With NO_FAIL an absent daemon is no failure: this code says that the bus has no socket.
    if code == Int32(AVAHI_ERR_NO_DAEMON) { throw .noBus("nobody listens there") }
    throw AvahiSession.outage(code)
  }

  // Closes the bus connections, and with them all that the daemon holds for us.
  deinit {
    while let client = unsafe moreClients.popLast() { unsafe avahi_client_free(client) }
    if let client = unsafe client { unsafe avahi_client_free(client) }
  }

  /// What was told since the last call, in order.
  func takeFacts() -> [Fact] {
    defer { facts = [] }
    return facts
  }

  /// Starts to look for services, once; false where that was done before.
  ///
  /// Throws what Avahi says.
  func browse() throws(DiscoveryOutage) -> Bool {
    guard unsafe browser == nil else { return false }
    unsafe browser = unsafe avahi_service_browser_new(
      client, Int32(AVAHI_IF_UNSPEC), Int32(AVAHI_PROTO_UNSPEC), AvahiSession.serviceType, nil,
      AvahiLookupFlags(0),
      { _, interface, networkProtocol, event, name, _, _, _, context in
        let place = RemoteInventory.Place(
          interface: interface, networkProtocol: networkProtocol)
        unsafe AvahiSession.of(context)?.browsed(event, name, place)
      }, context)
    guard unsafe browser != nil else { throw lastOutage }
    return true
  }

  /// Avahi's host name without the domain; asks the daemon.
  ///
  /// `nil` where it has none to tell.
  var hostName: String? {
    guard let name = unsafe avahi_client_get_host_name(client) else { return nil }
    // SAFETY: ends with NUL and belongs to the client.
    return unsafe String(cString: name)
  }

  /// The client, for the other parts of this type.
  var connection: OpaquePointer? { unsafe client }

  /// The number of a client that may have one more resolver, which is counted; makes one where none has room.
  ///
  /// `nil` where the limit or the daemon does not allow it.
  func takeClient() -> Int? {
    let number: Int
    if let free = load.firstIndex(where: { $0 < AvahiSession.resolversPerClient }) {
      number = free
    } else {
      guard load.count < AvahiSession.maximumClients, let client = unsafe makeClient() else {
        return nil
      }
      unsafe moreClients.append(client)
      load.append(0)
      number = load.count - 1
    }
    load[number] += 1
    return number
  }

  /// A resolver of the client with this number is gone.
  func giveClient(_ number: Int) { load[number] -= 1 }

  /// The client with this number.
  func connection(_ number: Int) -> OpaquePointer? {
    unsafe number == 0 ? client : moreClients[number - 1]
  }

  private func makeClient() -> OpaquePointer? {
    var code: Int32 = 0
    return unsafe avahi_client_new(
      poll.interface, AvahiClientFlags(0),
      { _, state, context in
        guard state == AVAHI_CLIENT_FAILURE else { return }
        unsafe AvahiSession.of(context)?.link = .failed(.disconnected)
      }, context, &code)
  }

  /// This object as Avahi carries it to the callbacks.
  var context: UnsafeMutableRawPointer { unsafe Unmanaged.passUnretained(self).toOpaque() }

  /// The object behind a callback's pointer.
  static func of(_ context: UnsafeMutableRawPointer?) -> AvahiSession? {
    guard let context = unsafe context else { return nil }
    return unsafe Unmanaged<AvahiSession>.fromOpaque(context).takeUnretainedValue()
  }

  /// Writes down what a callback was told.
  func note(_ fact: Fact) { facts.append(fact) }

  /// What the last failed call was about.
  var lastOutage: DiscoveryOutage { AvahiSession.outage(unsafe avahi_client_errno(client)) }

  /// The meaning of a number of avahi-common/error.h.
  static func outage(_ code: Int32) -> DiscoveryOutage {
    // SAFETY: Avahi's texts are constants that end with NUL.
    let text = unsafe avahi_strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
    switch code {
    case Int32(AVAHI_ERR_DBUS_ERROR): return .noBus(text)
    case Int32(AVAHI_ERR_NO_DAEMON): return .daemonAbsent
    case Int32(AVAHI_ERR_DISCONNECTED): return .disconnected
    default: return .failure(code: code, text: text)
    }
  }

  private func clientChanged(_ state: AvahiClientState) {
    switch state {
    case AVAHI_CLIENT_S_RUNNING: link = .running
    case AVAHI_CLIENT_S_REGISTERING: link = .registering
    case AVAHI_CLIENT_S_COLLISION: link = .collision
    case AVAHI_CLIENT_CONNECTING: link = .connecting
    default:
      // Within `avahi_client_new` there is no client yet to ask; then the call itself says why.
      link = .failed(unsafe client == nil ? .disconnected : lastOutage)
    }
  }

  private func browsed(
    _ event: AvahiBrowserEvent, _ name: UnsafePointer<CChar>?, _ place: RemoteInventory.Place
  ) {
    // SAFETY: Avahi's name ends with NUL and lives through the callback.
    let instance = unsafe name.map { unsafe String(cString: $0) }
    switch event {
    case AVAHI_BROWSER_NEW:
      if let instance { note(.appeared(instance, place)) }
    case AVAHI_BROWSER_REMOVE:
      if let instance { note(.vanished(instance, place)) }
    case AVAHI_BROWSER_FAILURE:
      link = .failed(lastOutage)
    default:
      break
    }
  }
}
