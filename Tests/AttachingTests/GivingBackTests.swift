// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import Attaching
import Logging
import Synchronization
import TestSupport
import Testing

/// The machine of an attached device asks for it.
@Suite(.timeLimit(.minutes(1))) struct GivingBackTests {
  /// What is mounted, and what was written.
  private final class Disks: Sendable {
    let mounted = Mutex<Set<String>>([])
    let written = Mutex<[String]>([])
  }

  private let bench: AttachingBench
  private let disks = Disks()
  private let giving: GivingBack<FakeAttachDoor>

  init() async {
    let disks = disks
    bench = await AttachingBench()
    giving = GivingBack(
      attachments: bench.attachments,
      release: { key, attachment, force throws(AgentError) in
        guard disks.mounted.withLock({ $0.contains(key) }) else { return [] }
        guard force else {
          throw AgentError(.inUse, "\(attachment.device.name) is in use on beta")
        }
        disks.written.withLock { $0.append(key) }
        return ["/mnt: everything is written"]
      }, log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
  }

  private func attach(_ busID: String) async throws -> RemoteDevice {
    let device = await bench.exportDisk(busID)
    async let isNew = bench.attachments.up(device, as: bench.taka)
    await bench.finish(port: try await bench.attachedPort(busID))
    #expect(try await isNew)
    return device
  }

  private func give(
    _ busID: String, exporter: String = "a1", force: Bool? = nil, from address: String = "10.9.0.1"
  ) async throws(AgentError) -> [String] {
    try await giving.give(
      ImporterCalls.GiveBackParameters(exporter: exporter, busid: busID, force: force),
      askedFrom: ["fe80::1%eth0", address])
  }

  @Test func whatNobodyUsesIsGivenBackAtOnce() async throws {
    let wanted = try await attach("1-1")
    let other = try await attach("1-2")
    #expect(try await give("1-1") == [])
    #expect(await bench.attachments.attachment(wanted.key) == nil)
    #expect(await bench.attachments.attachment(other.key) != nil)
    // It is gone already.
    let error = await #expect(throws: AgentError.self) { try await give("1-1") }
    #expect(error?.kind == .unknownDevice)
  }

  @Test func aMountedDiskStaysUnlessForced() async throws {
    let disk = try await attach("1-1")
    disks.mounted.withLock { $0 = [disk.key] }
    let error = await #expect(throws: AgentError.self) { try await give("1-1") }
    #expect(error?.kind == .inUse)
    #expect(error?.message == "SanDisk Cruzer Blade is in use on beta")
    #expect(await bench.attachments.attachment(disk.key)?.state == .attached)
    #expect(disks.written.withLock { $0 } == [])
    #expect(try await give("1-1", force: true) == ["/mnt: everything is written"])
    #expect(disks.written.withLock { $0 } == [disk.key])
    #expect(await bench.attachments.attachment(disk.key) == nil)
  }

  @Test(arguments: [
    ("1-1", "a1", "10.9.0.7"), ("1-1", "a2", "10.9.0.1"), ("1-2", "a1", "10.9.0.1"),
    ("1-1", "", ""),
  ])
  func onlyTheMachineOfTheDeviceIsHeard(
    busID: String, exporter: String, address: String
  ) async throws {
    let disk = try await attach("1-1")
    let error = await #expect(throws: AgentError.self) {
      try await give(busID, exporter: exporter, force: true, from: address)
    }
    #expect(error?.kind == .unknownDevice)
    #expect(await bench.attachments.attachment(disk.key)?.state == .attached)
  }
}
