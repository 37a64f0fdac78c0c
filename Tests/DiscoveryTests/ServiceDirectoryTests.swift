// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import Testing
import USBModel

@testable import Discovery

private func device(
  _ busID: String, _ name: String, state: TXTRecord.State = .available, agent: String = "alpha-1"
) throws -> PublishedDevice {
  PublishedDevice(
    port: 3240,
    record: try TXTRecord(
      busID: try #require(BusID(busID)), id: "0781:5567@\(busID)",
      vendorProduct: VendorProduct(vendor: 0x0781, product: 0x5567), classCode: ClassCode(0),
      state: state, user: state == .inUse ? "taka@beta" : "NOBODY", agent: agent, name: name))
}

/// A directory and its one reader, who remembers what is there.
private final class Reader {
  let directory: ServiceDirectory
  private var iterator: AsyncStream<DiscoveryEvent>.Iterator
  private(set) var present: [String: Announcement] = [:]
  private(set) var lost: [String] = []

  init() throws {
    directory = try ServiceDirectory()
    iterator = directory.events.makeAsyncIterator()
  }

  deinit { directory.stop() }

  /// Reads on until an event is as wanted; the suite's time limit ends a vain wait.
  func wait(_ isWanted: (DiscoveryEvent) -> Bool) async throws {
    while let event = await iterator.next(isolation: nil) {
      switch event {
      case .found(let announcement): present[announcement.instance] = announcement
      case .lost(let instance):
        present[instance] = nil
        lost.append(instance)
      case .available, .unavailable, .publishingFailed: break
      }
      if isWanted(event) { return }
    }
    try #require(Bool(false), "the events ended")
  }

  /// Reads on until the instance is there, and as wanted.
  func waitFor(
    _ instance: String, _ isWanted: (Announcement) -> Bool = { _ in true }
  ) async throws {
    if let announcement = present[instance], isWanted(announcement) { return }
    try await wait { event in
      if case .found(let announcement) = event {
        announcement.instance == instance && isWanted(announcement)
      } else {
        false
      }
    }
  }

  func waitForLoss(of instance: String) async throws {
    if lost.contains(instance) { return }
    try await wait { $0 == .lost(instance: instance) }
  }

  func waitForEnd() async {
    while await iterator.next(isolation: nil) != nil {}
  }
}

extension Announcement {
  fileprivate var state: TXTRecord.State? { try? record?.get().state }
}

/// Against the real avahi-daemon; runs only under `Tests/private-lan`, which is in docs/testing.md.
@Suite(.serialized, .enabled(if: PrivateLAN.isWanted), .timeLimit(.minutes(5)))
struct ServiceDirectoryTests {
  @Test func announcesAndFinds() async throws {
    let lan = try PrivateLAN()
    let reader = try Reader()
    let stick = try device("1-1", "Stick")
    reader.directory.publish([stick, try device("1-2", "Disk \u{1F4BE}", state: .denied)])
    try await reader.waitFor("Stick on alpha (1-1)") { $0.addresses.count == 2 }
    try await reader.waitFor("Disk \u{1F4BE} on alpha (1-2)")
    let announcement = try #require(reader.present["Stick on alpha (1-1)"])
    #expect(announcement.host == "alpha")
    #expect(announcement.port == 3240)
    #expect(announcement.record == .success(stick.record))
    #expect(announcement.addresses.first == "10.77.0.1")
    #expect(announcement.addresses.last?.hasPrefix("fe80::") == true)
    #expect(announcement.addresses.last?.hasSuffix("%lan") == true)

    try lan.run(
      "publish", "beta", "printer", "Printer", "9100", "path=/", "note=not one of ours")
    try await reader.waitFor("Printer")
    let foreign = try #require(reader.present["Printer"])
    #expect(foreign.record == nil)
    #expect(foreign.host == "beta")
    #expect(foreign.port == 9100)
    #expect(try lan.browse(.beta).contains("Stick"))
    try lan.run("unpublish", "beta", "printer")
    try await reader.waitForLoss(of: "Printer")

    reader.directory.publish([stick])
    try await reader.waitForLoss(of: "Disk \u{1F4BE} on alpha (1-2)")
    #expect(reader.lost == ["Printer", "Disk \u{1F4BE} on alpha (1-2)"])
    reader.directory.stop()
    await reader.waitForEnd()
  }

  /// An office: 24 agents with 40 devices each, which beta's daemon announces in their names.
  @Test func findsAThousandDevices() async throws {
    let lan = try PrivateLAN()
    let reader = try Reader()
    reader.directory.publish([try device("1-1", "Stick")])
    try lan.run("announce", "beta", "24", "40")
    try await reader.wait { _ in
      reader.present.count == 961 && reader.present.values.allSatisfy { !$0.addresses.isEmpty }
    }
    #expect(reader.lost.isEmpty)
    #expect(Set(reader.present.values.map(\.host)).count == 25)
    #expect(reader.present.values.allSatisfy { $0.state == .available })
    #expect(reader.present["Stick 40 of sim24"]?.addresses == ["10.77.0.124"])
    try lan.run("unannounce", "beta")
    try await reader.wait { _ in reader.present.count == 1 }
  }

  @Test func changesTheRecordInPlace() async throws {
    _ = try PrivateLAN()
    let reader = try Reader()
    let name = "Camera on alpha (2-1)"
    for state in [TXTRecord.State.available, .inUse, .denied, .available] {
      reader.directory.publish([try device("2-1", "Camera", state: state)])
      try await reader.waitFor(name) { $0.state == state }
    }
    // Many in a row: the last one counts.
    for number in 0..<50 {
      reader.directory.publish(
        [try device("2-1", "Camera", state: number % 2 == 0 ? .inUse : .available)])
    }
    reader.directory.publish([try device("2-1", "Camera", state: .denied)])
    try await reader.waitFor(name) { $0.state == .denied }
    #expect(reader.lost == [])
  }

  @Test func takesAnotherNameWhenAnotherMachineHasIt() async throws {
    let lan = try PrivateLAN()
    let reader = try Reader()
    let name = "Stick on alpha (3-1)"
    try lan.run("publish", "beta", "thief", name, "1", "txtvers=1")
    try await reader.waitFor(name)
    // A daemon does not answer within half a second of its own announcement, and would lose the name
    // to us; browsing takes longer than that.
    #expect(try lan.browse(.beta).contains("beta"))
    reader.directory.publish([try device("3-1", "Stick")])
    try await reader.waitFor("\(name) #2")
    reader.directory.publish([try device("3-1", "Stick", state: .inUse)])
    try await reader.waitFor("\(name) #2") { $0.state == .inUse }
    try lan.run("unpublish", "beta", "thief")
    try await reader.waitForLoss(of: name)
    reader.directory.publish([try device("3-1", "Stick", state: .denied)])
    try await reader.waitFor("\(name) #2") { $0.state == .denied }
  }

  @Test func takesAnotherNameWhenThisMachineHasIt() async throws {
    _ = try PrivateLAN()
    let (first, second) = (try Reader(), try Reader())
    first.directory.publish([try device("3-2", "Stick", agent: "first")])
    try await second.waitFor("Stick on alpha (3-2)")
    second.directory.publish([try device("3-2", "Stick", agent: "second")])
    try await first.waitFor("Stick on alpha (3-2) #2")
    #expect(try first.present["Stick on alpha (3-2) #2"]?.record?.get().agent == "second")
  }

  @Test(arguments: ["avahi-stop", "avahi-kill"])
  func survivesARestartOfTheDaemon(verb: String) async throws {
    let lan = try PrivateLAN()
    let reader = try Reader()
    reader.directory.publish([try device("4-1", "Stick")])
    try await reader.waitFor("Stick on alpha (4-1)")
    try lan.run("publish", "beta", "kept", "Kept", "1")
    try lan.run("publish", "beta", "gone", "Gone", "1")
    try await reader.waitFor("Kept")
    try await reader.waitFor("Gone")

    try lan.run(verb, "alpha")
    try await reader.wait { $0 == .unavailable(.disconnected) }
    try lan.run("unpublish", "beta", "gone")
    reader.directory.publish([try device("4-1", "Stick", state: .inUse)])
    try lan.run("avahi-start", "alpha")
    try await reader.wait { $0 == .available }
    try await reader.waitFor("Stick on alpha (4-1)") { $0.state == .inUse }
    try await reader.waitForLoss(of: "Gone")
    #expect(reader.lost == ["Gone"])
    #expect(reader.present.keys.sorted() == ["Kept", "Stick on alpha (4-1)"])
    try lan.run("unpublish", "beta", "kept")
    try await reader.waitForLoss(of: "Kept")
  }

  @Test func losesAllWhenTheDaemonStaysAway() async throws {
    let lan = try PrivateLAN()
    let reader = try Reader()
    reader.directory.publish([try device("4-2", "Stick")])
    try await reader.waitFor("Stick on alpha (4-2)")
    try lan.run("avahi-stop", "alpha")
    try await reader.waitForLoss(of: "Stick on alpha (4-2)")
    try lan.run("avahi-start", "alpha")
    try await reader.waitFor("Stick on alpha (4-2)")
  }

  @Test func waitsForTheDaemon() async throws {
    let lan = try PrivateLAN(daemons: false)
    try lan.run("bus-start", "alpha")
    let reader = try Reader()
    reader.directory.publish([try device("5-1", "Stick")])
    try await reader.wait { $0 == .unavailable(.daemonAbsent) }
    try lan.run("avahi-start", "alpha")
    try await reader.wait { $0 == .available }
    try await reader.waitFor("Stick on alpha (5-1)")
  }

  @Test func waitsForTheBusAndSurvivesItsRestart() async throws {
    let lan = try PrivateLAN(daemons: false)
    let reader = try Reader()
    reader.directory.publish([try device("5-2", "Stick")])
    try await reader.wait { if case .unavailable(.noBus) = $0 { true } else { false } }
    try lan.run("bus-start", "alpha")
    try lan.run("avahi-start", "alpha")
    try await reader.waitFor("Stick on alpha (5-2)")
    try lan.run("avahi-stop", "alpha")
    try lan.run("bus-stop", "alpha")
    try await reader.waitForLoss(of: "Stick on alpha (5-2)")
    try lan.run("bus-start", "alpha")
    try lan.run("avahi-start", "alpha")
    try await reader.waitFor("Stick on alpha (5-2)")
  }

  @Test func followsTheHostName() async throws {
    let lan = try PrivateLAN()
    let reader = try Reader()
    reader.directory.publish([try device("6-1", "Stick")])
    try await reader.waitFor("Stick on alpha (6-1)")
    try lan.run("host-name", "alpha", "gamma")
    try await reader.waitFor("Stick on gamma (6-1)") { $0.host == "gamma" }
    try await reader.waitForLoss(of: "Stick on alpha (6-1)")
    try lan.run("host-name", "alpha", "alpha")
    try await reader.waitFor("Stick on alpha (6-1)") { $0.host == "alpha" }
    try await reader.waitForLoss(of: "Stick on gamma (6-1)")
    #expect(reader.present.keys.sorted() == ["Stick on alpha (6-1)"])
  }

  @Test func announcesManyDevices() async throws {
    _ = try PrivateLAN()
    let reader = try Reader()
    let devices = try (1...LocalInventory.maximumDevices).map { try device("\($0)-1", "Device") }
    reader.directory.publish(devices)
    try await reader.wait { _ in reader.present.count == devices.count }
    reader.directory.publish([])
    try await reader.wait { _ in reader.present.isEmpty }
  }

  /// Takes more than two minutes: the life of an SRV record.
  @Test func losesAMachineThatIsGoneWithoutAWord() async throws {
    let lan = try PrivateLAN()
    let reader = try Reader()
    try lan.run("publish", "beta", "stick", "Stick", "3240")
    try await reader.waitFor("Stick")
    try lan.run("avahi-kill", "beta")
    try await reader.waitForLoss(of: "Stick")
    try lan.run("avahi-start", "beta")
    try await reader.waitFor("Stick")
  }
}
