// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import Attaching
import Discovery
import SharePolicy
import Sharing
import TestSupport
import Testing
import USBModel

@testable import Agent

/// What one agent announces, another reads.
@Suite struct PublicationTests {
  static let agent = "0123456789abcdef0123456789abcdef"

  /// What beta makes of what alpha announces, by way of the bytes of the TXT record.
  static func roundTrip(
    _ devices: [SharedDevice], names: [BusID: GivenName] = [:]
  ) throws -> [RemoteDevice] {
    try Publication.announcements(
      devices, keys: LocalKeys(agent: agent, devices: devices.map(\.device)), names: names,
      agent: agent, port: 3241
    ).compactMap { published in
      let record = try #require(try TXTRecord.decode(entries: published.record.entries))
      return Publication.remote(
        Announcement(
          instance: "alpha \(record.busID)", host: "alpha", addresses: ["10.9.0.1", "fd00::1"],
          port: published.port, record: .success(record)))
    }
  }

  static func free(_ device: Device) -> SharedDevice {
    SharedDevice(device: device, state: .available, user: .nobody, denial: nil)
  }

  @Test func aFreeDeviceArrivesWhole() throws {
    let device = try #require(try Self.roundTrip([Self.free(DeviceSamples.disk())]).first)
    #expect(device.key == "\(Self.agent)/0781:5567/4C530001")
    #expect(device.name == "SanDisk Cruzer Blade")
    #expect(device.busID == "1-1.2")
    #expect(device.vendorID == "0781")
    #expect(device.productID == "5567")
    #expect(device.serial == "4C530001")
    #expect(device.state == .available)
    #expect(device.user == .nobody)
    #expect(device.reason == nil)
    #expect(device.exporter.host == "alpha")
    #expect(device.exporter.addresses == ["10.9.0.1", "fd00::1"])
    #expect(device.exporter.port == 3241)
    #expect(device.exporter.agent == Self.agent)
  }

  @Test func aDeviceIsAnnouncedByTheNameItWasGiven() throws {
    let longest = String(repeating: "ü", count: GivenName.maximumLength / 2)
    for name in ["the lab's stick", longest] {
      let names = [DeviceSamples.disk().busID: try GivenName(name)]
      let devices = try Self.roundTrip([Self.free(DeviceSamples.disk())], names: names)
      #expect(devices.map(\.name) == [name])
    }
  }

  @Test func aDeviceWithoutASerialIsKnownByItsPlace() throws {
    let device = try #require(try Self.roundTrip([Self.free(DeviceSamples.mouse())]).first)
    #expect(device.key == "\(Self.agent)/046d:c00c@2-3")
    #expect(device.serial == nil)
  }

  @Test func whoHasItAndWhyNotArriveToo() throws {
    let used = SharedDevice(
      device: DeviceSamples.mouse(), state: .inUse, user: RemoteUser(user: "taka", host: "beta"),
      denial: nil)
    let kept = SharedDevice(
      device: DeviceSamples.disk(), state: .denied, user: .nobody,
      denial: Denial("sdb1 is mounted on /home"))
    let devices = try Self.roundTrip([used, kept])
    #expect(devices.map(\.state) == [.inUse, .denied])
    #expect(devices.first?.user.description == "taka@beta")
    #expect(devices.last?.reason == "sdb1 is mounted on /home")
  }

  @Test func whatIsNeverSharedIsNotAnnounced() throws {
    let hub = SharedDevice(
      device: DeviceSamples.hub(), state: .denied, user: .nobody,
      denial: Denial("it is a hub", isLasting: true))
    #expect(try Self.roundTrip([hub]).isEmpty)
  }

  @Test func whatADeviceSaysOfItselfCannotSteerATerminal() throws {
    var device = DeviceSamples.disk()
    device.manufacturer = nil
    device.product = "\u{1B}[2JDisk\u{202E}\n"
    let arrived = try #require(try Self.roundTrip([Self.free(device)]).first)
    #expect(arrived.name == "[2JDisk")
  }

  @Test func aSerialThatFitsNoRecordIsNotAnnounced() throws {
    var device = DeviceSamples.disk()
    device.serial = String(repeating: "9", count: 300)
    #expect(try Self.roundTrip([Self.free(device), Self.free(DeviceSamples.mouse())]).count == 1)
  }

  @Test func anAnnouncementOfSomebodyElseIsNone() {
    func remote(_ record: Result<TXTRecord, TXTError>?, _ addresses: [String]) -> Bool {
      Publication.remote(
        Announcement(
          instance: "x", host: "h", addresses: addresses, port: 3240, record: record)) != nil
    }
    #expect(!remote(nil, ["10.9.0.9"]))
    #expect(!remote(.failure(.missing(key: "id")), ["10.9.0.9"]))
  }

  @Test func anAnnouncementWithoutAnAddressIsNone() throws {
    let published = Publication.announcements(
      [Self.free(DeviceSamples.disk())],
      keys: LocalKeys(agent: Self.agent, devices: [DeviceSamples.disk()]), agent: Self.agent,
      port: 3240)
    let record = try #require(published.first).record
    let announcement = Announcement(
      instance: "x", host: "alpha", addresses: [], port: 3240, record: .success(record))
    #expect(Publication.remote(announcement) == nil)
  }
}

@Suite struct LocalKeysTests {
  let agent = PublicationTests.agent

  @Test func aSerialNumberKeepsTheKeyOverAMove() {
    let here = LocalKeys(agent: agent, devices: [DeviceSamples.disk("1-1.2")])
    let there = LocalKeys(agent: agent, devices: [DeviceSamples.disk("3-4")])
    #expect(here[DeviceSamples.busID("1-1.2")] == there[DeviceSamples.busID("3-4")])
    #expect(here[DeviceSamples.busID("1-1.2")] == "\(agent)/0781:5567/4C530001")
  }

  @Test func twoWithTheSameSerialNumberAreToldApartByTheirPlaces() {
    let keys = LocalKeys(
      agent: agent, devices: [DeviceSamples.disk("1-1.2"), DeviceSamples.disk("1-1.3")])
    #expect(keys[DeviceSamples.busID("1-1.2")] == "\(agent)/0781:5567@1-1.2")
    #expect(keys[DeviceSamples.busID("1-1.3")] == "\(agent)/0781:5567@1-1.3")
  }

  @Test func aSerialNumberThatOnceNamedTwoNamesNoneAnyMore() {
    let disk = DeviceSamples.disk("1-1.2")
    let keys = LocalKeys(agent: agent, devices: [disk]) { $0 == "\(agent)/0781:5567/4C530001" }
    #expect(keys.identity(disk.busID) == "0781:5567@1-1.2")
  }

  @Test func anEmptySerialNumberIsNone() {
    var blank = DeviceSamples.disk()
    blank.serial = ""
    let keys = LocalKeys(agent: agent, devices: [blank])
    #expect(keys.identity(blank.busID) == "0781:5567@1-1.2")
  }

  @Test func aDeviceThatIsNotThereIsKnownByItsPlace() {
    #expect(LocalKeys(agent: agent, devices: []).identity(DeviceSamples.busID("9-9")) == "9-9")
  }
}
