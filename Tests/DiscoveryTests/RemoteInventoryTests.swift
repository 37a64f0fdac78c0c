// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import Testing

@testable import Discovery

private typealias Place = RemoteInventory.Place
private typealias Resolution = RemoteInventory.Resolution

private let wire4 = Place(interface: 2, networkProtocol: 0)
private let wire6 = Place(interface: 2, networkProtocol: 1)
private let wireless4 = Place(interface: 3, networkProtocol: 0)

private func address(_ text: String) -> ResolvedAddress? {
  if text.contains(":") {
    var bytes = [UInt8](repeating: 1, count: 16)
    if text.hasPrefix("fe80") { (bytes[0], bytes[1]) = (0xFE, 0x80) }
    return ResolvedAddress(bytes: bytes, text: text, scope: "eth0")
  }
  return ResolvedAddress(
    bytes: text.split(separator: ".").compactMap { UInt8($0) }, text: text, scope: "eth0")
}

private func resolution(
  _ host: String = "beta.local", _ text: String = "10.9.0.2", port: UInt16 = 3240,
  entries: [String] = []
) -> Resolution {
  Resolution(
    host: host, address: address(text), port: port, entries: entries.map { Array($0.utf8) })
}

/// An inventory that `#expect` may change.
private final class Subject {
  var inventory = RemoteInventory()

  func appeared(_ instance: String, at place: Place) -> Bool {
    inventory.appeared(instance, at: place)
  }

  func resolved(_ instance: String, at place: Place, to resolution: Resolution) {
    inventory.resolved(instance, at: place, to: resolution)
  }

  func unresolved(_ instance: String, at place: Place) {
    inventory.unresolved(instance, at: place)
  }

  func vanished(_ instance: String, at place: Place) { inventory.vanished(instance, at: place) }

  /// Tells all that is to be told.
  func told() -> [DiscoveryEvent] {
    let events = inventory.changes()
    for event in events { inventory.accept(event) }
    inventory.clean()
    return events
  }
}

private func found(
  _ instance: String, _ addresses: [String], host: String = "beta", port: UInt16 = 3240,
  record: Result<TXTRecord, TXTError>? = nil
) -> DiscoveryEvent {
  .found(
    Announcement(
      instance: instance, host: host, addresses: addresses, port: port, record: record))
}

@Suite struct RemoteInventoryTests {
  private let inventory = Subject()

  @Test func tellsWhenResolvedAndNotBefore() {
    #expect(inventory.appeared("a", at: wire4))
    #expect(inventory.told() == [])
    inventory.resolved("a", at: wire4, to: resolution())
    #expect(inventory.told() == [found("a", ["10.9.0.2"])])
    #expect(inventory.told() == [])
    inventory.resolved("a", at: wire4, to: resolution())
    #expect(inventory.told() == [])
  }

  @Test func joinsPlacesAndPutsTheBestAddressFirst() {
    for place in [wire6, wire4, wireless4] { #expect(inventory.appeared("a", at: place)) }
    inventory.resolved("a", at: wire6, to: resolution("beta.local", "fe80::1"))
    inventory.resolved("a", at: wireless4, to: resolution("beta.local", "169.254.1.1"))
    #expect(inventory.told() == [found("a", ["169.254.1.1", "fe80::1%eth0"])])
    inventory.resolved("a", at: wire4, to: resolution("beta.local", "10.9.0.2"))
    #expect(inventory.told() == [found("a", ["10.9.0.2", "169.254.1.1", "fe80::1%eth0"])])
  }

  @Test func losesOnlyWhatIsGoneFromAllPlaces() {
    for place in [wire4, wire6] {
      #expect(inventory.appeared("a", at: place))
      inventory.resolved("a", at: place, to: resolution())
    }
    #expect(inventory.told().count == 1)
    inventory.vanished("a", at: wire4)
    #expect(inventory.told() == [])
    inventory.vanished("a", at: wire6)
    #expect(inventory.told() == [.lost(instance: "a")])
    inventory.vanished("a", at: wire6)
    #expect(inventory.told() == [])
  }

  @Test func takesTheRecordOfTheLatestAnswer() {
    for place in [wire4, wire6] {
      #expect(inventory.appeared("a", at: place))
      inventory.resolved("a", at: place, to: resolution(port: 1))
    }
    inventory.resolved("a", at: wire4, to: resolution(port: 2))
    #expect(inventory.told() == [found("a", ["10.9.0.2"], port: 2)])
  }

  @Test func tellsTheKindsOfRecords() {
    #expect(inventory.appeared("a", at: wire4))
    inventory.resolved("a", at: wire4, to: resolution(entries: ["path=/"]))
    #expect(inventory.told() == [found("a", ["10.9.0.2"])])
    inventory.resolved("a", at: wire4, to: resolution(entries: ["txtvers=7", "busid=1-1"]))
    #expect(
      inventory.told() == [
        found("a", ["10.9.0.2"], record: .failure(.unsupportedVersion("7")))
      ])
  }

  @Test(arguments: [
    ("beta.local", "beta"), ("beta.local.", "beta"), ("beta.LOCAL", "beta"), ("beta", "beta"),
    ("local", "local"), ("a.b.local", "a.b"), ("beta.example.org", "beta.example.org"),
    ("be\u{1b}ta.local", "beta"), ("", ""),
  ])
  func plainsTheHost(name: String, host: String) {
    #expect(inventory.appeared("a", at: wire4))
    inventory.resolved("a", at: wire4, to: resolution(name))
    #expect(inventory.told() == [found("a", ["10.9.0.2"], host: host)])
  }

  @Test func keepsWhatIsSeenAgainAfterARestart() {
    for instance in ["a", "b", "c"] {
      #expect(inventory.appeared(instance, at: wire4))
      inventory.resolved(instance, at: wire4, to: resolution())
    }
    #expect(inventory.told().count == 3)
    inventory.inventory.forget()
    #expect(inventory.told() == [])
    #expect(inventory.appeared("a", at: wire4))
    #expect(inventory.appeared("b", at: wire4))
    inventory.resolved("b", at: wire4, to: resolution())
    #expect(inventory.told() == [])
    inventory.inventory.settle()
    #expect(inventory.told() == [.lost(instance: "c")])
    inventory.resolved("a", at: wire4, to: resolution(port: 9))
    #expect(inventory.told() == [found("a", ["10.9.0.2"], port: 9)])
  }

  @Test func tellsLostOnceWhenSeenAndGoneWithinTheGrace() {
    #expect(inventory.appeared("a", at: wire4))
    inventory.resolved("a", at: wire4, to: resolution())
    _ = inventory.told()
    inventory.inventory.forget()
    #expect(inventory.appeared("a", at: wire4))
    inventory.vanished("a", at: wire4)
    #expect(inventory.told() == [.lost(instance: "a")])
    inventory.inventory.settle()
    #expect(inventory.told() == [])
  }

  @Test func losesWhatIsSilentAtAllPlacesAndFindsItAgain() {
    for place in [wire4, wire6] {
      #expect(inventory.appeared("a", at: place))
      inventory.resolved("a", at: place, to: resolution())
    }
    _ = inventory.told()
    inventory.unresolved("a", at: wire4)
    #expect(inventory.told() == [])
    inventory.unresolved("a", at: wire6)
    #expect(inventory.told() == [.lost(instance: "a")])
    inventory.resolved("a", at: wire6, to: resolution())
    #expect(inventory.told() == [found("a", ["10.9.0.2"])])
    inventory.unresolved("b", at: wire4)
    #expect(inventory.told() == [])
  }

  @Test func waitsForTheFirstAnswerOfAnyPlaceAfterARestart() {
    #expect(inventory.appeared("a", at: wire4))
    inventory.resolved("a", at: wire4, to: resolution())
    _ = inventory.told()
    inventory.inventory.forget()
    for place in [wire4, wire6] { #expect(inventory.appeared("a", at: place)) }
    inventory.unresolved("a", at: wire6)
    inventory.inventory.settle()
    #expect(inventory.told() == [])
    inventory.unresolved("a", at: wire4)
    #expect(inventory.told() == [.lost(instance: "a")])
  }

  @Test func tellsAgainWhatWasNotTaken() {
    #expect(inventory.appeared("a", at: wire4))
    inventory.resolved("a", at: wire4, to: resolution())
    let first = inventory.inventory.changes()
    #expect(inventory.inventory.changes() == first)
    inventory.vanished("a", at: wire4)
    #expect(inventory.inventory.changes() == [])
  }

  @Test func doesNotLookBeyondItsLimits() {
    for number in 0..<RemoteInventory.maximumInstances {
      #expect(inventory.appeared("\(number)", at: wire4))
    }
    #expect(!inventory.appeared("one more", at: wire4))
    inventory.resolved("one more", at: wire4, to: resolution())
    #expect(inventory.told() == [])
    for interface in 1..<Int32(RemoteInventory.maximumPlaces) {
      #expect(inventory.appeared("0", at: Place(interface: 100 + interface, networkProtocol: 0)))
    }
    #expect(!inventory.appeared("0", at: wire6))
    #expect(inventory.appeared("0", at: wire4))
    inventory.vanished("1", at: wire4)
    #expect(inventory.appeared("one more", at: wire4))
  }
}
