// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import Attaching
import Logging
import TestSupport
import Testing
import USBModel

/// One machine that attaches the devices of exporter alpha, with a fake network and kernel below.
struct AttachingBench {
  let undo = MemoryUndoBook()
  let book = MemoryAttachmentBook()
  let door: FakeAttachDoor
  let attachments: Attachments<FakeAttachDoor>
  let changes: ChangeWatch
  let taka = RemoteUser(user: "taka", host: "beta")
  let hiro = RemoteUser(user: "hiro", host: "beta")

  /// No step ends by itself, however slow the machine of the test is.
  static let patient = AttachTiming(
    usable: .seconds(10), quiet: .seconds(10), detached: .seconds(10), look: .milliseconds(2))
  /// For tests of what happens when a device is not usable in time.
  static let impatient = AttachTiming(
    usable: .milliseconds(300), quiet: .milliseconds(30), detached: .seconds(30),
    look: .milliseconds(2))

  init(timing: AttachTiming = AttachingBench.patient) async {
    let door = FakeAttachDoor(undo: undo)
    let attachments = Attachments(
      door: door, undo: undo, book: book, timing: timing,
      log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    await door.connect { [weak attachments] in await attachments?.localDevicesChanged() }
    self.door = door
    self.attachments = attachments
    changes = ChangeWatch(attachments.changes)
  }

  /// A device of alpha at `busID`.
  static func remote(_ busID: String, name: String = "SanDisk Cruzer Blade") -> RemoteDevice {
    RemoteDevice(
      key: "alpha/\(busID)",
      exporter: Exporter(host: "alpha", addresses: ["10.9.0.1"], port: 3240, agent: "a1"),
      busID: busID, name: name, vendorID: "0781", productID: "5567", state: .available)
  }

  /// What this machine's kernel shows of a disk on port 0.
  static func seen(driver: String?, nodes: [String] = []) -> LocalObservation {
    LocalObservation(
      busID: DeviceSamples.busID("9-1"),
      interfaces: [Interface(number: 0, classCode: ClassCode(8, 6, 0x50), driver: driver)],
      nodes: nodes)
  }

  /// The stages of a disk: enumerated, bound, and a second later its node.
  static let diskStages: [LocalObservation?] = [
    seen(driver: nil), seen(driver: "usb-storage"),
    seen(driver: "usb-storage", nodes: ["/dev/sdb", "/dev/sg1"]),
  ]

  /// Adds a disk to alpha.
  func exportDisk(_ busID: String = "1-1.2") async -> RemoteDevice {
    await door.export(DeviceSamples.disk(busID), stages: Self.diskStages)
    return Self.remote(busID)
  }

  /// Waits until the kernel has taken a device once more than `times`, and returns its port.
  func attachedPort(_ busID: String = "1-1.2", after times: Int = 0) async throws -> Int {
    try await door.log.wait { Self.ports(of: busID, in: $0).count > times }
    return try #require(Self.ports(of: busID, in: door.log.events).last)
  }

  private static func ports(of busID: String, in events: [FakeAttachDoor.Event]) -> [Int] {
    events.compactMap { if case .attached(busID, let port, _) = $0 { port } else { nil } }
  }

  /// Lets the device on `port` come up wholly.
  func finish(port: Int) async {
    for _ in Self.diskStages { await door.advance(port: port) }
  }

  /// Attaches `device` and lets it come up.
  func attach(_ device: RemoteDevice) async throws -> Int {
    let times = Self.ports(of: device.busID, in: door.log.events).count
    async let outcome = attachments.up(device, as: taka)
    let port = try await attachedPort(device.busID, after: times)
    await finish(port: port)
    #expect(try await outcome)
    return port
  }

  /// Checks that nothing is left of any attempt, here and on the exporter.
  func expectNothing(sourceLocation: SourceLocation = #_sourceLocation) async throws {
    #expect(await attachments.all().isEmpty, sourceLocation: sourceLocation)
    #expect(await door.usedPorts.isEmpty, sourceLocation: sourceLocation)
    #expect(await undo.record.isEmpty, sourceLocation: sourceLocation)
    let log = door.log
    let imports = log.events.count { if case .importing = $0 { true } else { false } }
    if imports > 0 {
      try await log.wait { events in
        events.contains { if case .closed = $0 { true } else { false } }
      }
    }
  }

  /// What `up` throws; records an issue where it does not.
  func refusal(
    _ device: RemoteDevice, sourceLocation: SourceLocation = #_sourceLocation
  ) async -> AgentError? {
    do throws(AgentError) {
      _ = try await attachments.up(device, as: taka)
      Issue.record("the device was attached", sourceLocation: sourceLocation)
      return nil
    } catch {
      return error
    }
  }

  /// How often the exporter was asked.
  var importCount: Int {
    door.log.events.count { if case .importing = $0 { true } else { false } }
  }
}
