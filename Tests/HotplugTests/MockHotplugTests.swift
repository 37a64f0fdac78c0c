// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import Testing
import USBModel

@testable import Hotplug

/// One word for each event, and the bus ID.
private func brief(_ event: HotplugEvent) -> String {
  switch event {
  case .added(let device): "added \(device.busID)"
  case .changed(let device): "changed \(device.busID)"
  case .removed(let busID): "removed \(busID)"
  case .childChanged(let busID, let subsystem): "child \(busID) \(subsystem)"
  case .skipped(let path, _): "skipped \(path.split(separator: "/").last ?? "")"
  case .listed: "listed"
  }
}

/// The one reader of a watch.
private final class Reader {
  let watch: HotplugWatch
  private var iterator: AsyncStream<HotplugEvent>.Iterator
  private(set) var log: [String] = []
  private(set) var devices: [BusID: Device] = [:]

  init(bufferedEvents: Int = 1000) throws {
    watch = try HotplugWatch(bufferedEvents: bufferedEvents)
    iterator = watch.events.makeAsyncIterator()
  }

  /// Ends the watch and its socket: umockdev aborts when one that it writes to closes meanwhile.
  func end() async {
    watch.stop()
    while await iterator.next(isolation: nil) != nil {}
  }

  /// Reads up to this event and says what came, the event included; the suite's time limit ends a
  /// vain wait.
  ///
  /// What came twice is said once: a change in the kernel makes more events than one.
  func read(to last: String) async throws -> [String] {
    log = []
    while let event = await iterator.next(isolation: nil) {
      switch event {
      case .added(let device), .changed(let device): devices[device.busID] = device
      case .removed(let busID): devices[busID] = nil
      case .childChanged, .skipped, .listed: break
      }
      if log.last != brief(event) { log.append(brief(event)) }
      if brief(event) == last { return log }
    }
    try #require(Bool(false), "the events ended after \(log)")
    return log
  }
}

/// Against the real libudev; runs only under `Tests/mock-udev`, which is in docs/testing.md.
@Suite(.serialized, .enabled(if: MockUdev.isThere), .timeLimit(.minutes(1)))
struct MockHotplugTests {
  @Test func listsAndFollows() async throws {
    let udev = try MockUdev()
    try udev.order("plug 1-1 c31c")
    let reader = try Reader()
    #expect(try await reader.read(to: "listed") == ["added 1-1", "listed"])
    let device = try #require(reader.devices.values.first)
    #expect(device.name == "Logitech USB Keyboard")
    #expect(device.databaseProduct == "Keyboard K120")
    #expect(device.vendorProduct == VendorProduct(vendor: 0x046D, product: 0xC31C))
    #expect(device.interfaces == [Interface(number: 0, classCode: ClassCode(3, 1, 1))])
    #expect(!device.isImported)

    try udev.order("plug 1-2 c31d")
    #expect(try await reader.read(to: "added 1-2") == ["added 1-2"])
    try udev.order("plug 1-2.4 c31e")
    #expect(try await reader.read(to: "added 1-2.4") == ["added 1-2.4"])
    try udev.order("bind 1-2.4 usbhid")
    #expect(try await reader.read(to: "changed 1-2.4") == ["changed 1-2.4"])
    let keyboard = try #require(BusID("1-2.4"))
    #expect(reader.devices[keyboard]?.interfaces.first?.driver == "usbhid")
    try udev.order("child 1-2.4 input input7")
    #expect(try await reader.read(to: "child 1-2.4 input") == ["child 1-2.4 input"])
    try udev.order("child 1-1 block sda")
    #expect(try await reader.read(to: "child 1-1 block") == ["child 1-1 block"])
    try udev.order("change 1-1 product Other")
    #expect(try await reader.read(to: "changed 1-1") == ["changed 1-1"])

    for name in ["1-2.4", "1-2", "1-1"] {
      try udev.order("unplug \(name)")
      #expect(try await reader.read(to: "removed \(name)").last == "removed \(name)")
    }
    #expect(reader.devices.isEmpty)
    await reader.end()
  }

  @Test func marksWhatIsImported() async throws {
    let udev = try MockUdev()
    try udev.order("plug 5-1 c31c")
    let reader = try Reader()
    _ = try await reader.read(to: "listed")
    #expect(reader.devices.values.map(\.isImported) == [true])
    try udev.order("unplug 5-1")
    _ = try await reader.read(to: "removed 5-1")
    await reader.end()
  }

  @Test func skipsWhatLacksAnAttribute() async throws {
    let udev = try MockUdev()
    let reader = try Reader()
    _ = try await reader.read(to: "listed")
    try udev.order("plug 1-3 c31c speed")
    #expect(try await reader.read(to: "skipped 1-3") == ["skipped 1-3"])
    try udev.order("plug 1-4 c31d")
    #expect(try await reader.read(to: "added 1-4") == ["added 1-4"])
    try udev.order("change 1-3 speed 12")
    #expect(try await reader.read(to: "added 1-3") == ["added 1-3"])
    for name in ["1-3", "1-4"] {
      try udev.order("unplug \(name)")
      _ = try await reader.read(to: "removed \(name)")
    }
    await reader.end()
  }

  @Test func losesNothingForASlowReader() async throws {
    let udev = try MockUdev()
    let reader = try Reader(bufferedEvents: 1)
    _ = try await reader.read(to: "listed")
    for port in 1...3 { try udev.order("plug 1-\(port) c31c") }
    // Gone before the reader looks, and nobody was told of it.
    try udev.order("unplug_silently 1-3")
    var hasSeen: Set<String> = []
    while reader.devices.count < 2 {
      hasSeen.formUnion(try await reader.read(to: "listed"))
    }
    for port in 1...2 {
      #expect(hasSeen.contains("added 1-\(port)"))
      try udev.order("unplug 1-\(port)")
    }
    while !reader.devices.isEmpty { _ = try await reader.read(to: "listed") }
    await reader.end()
  }
}
