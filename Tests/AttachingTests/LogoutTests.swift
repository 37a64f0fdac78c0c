// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import Attaching
import Logging
import Synchronization
import TestSupport
import Testing

@Suite struct DeparturesTests {
  private let taka = RemoteUser(user: "taka", host: "beta")
  private let hiro = RemoteUser(user: "hiro", host: "beta")

  @Test func onlyWhoWasThereCanLeave() {
    var departures = Departures()
    #expect(departures.look([taka, hiro], there: [taka]) == [])
    #expect(departures.look([taka, hiro], there: []) == [taka])
    // Told once.
    #expect(departures.look([taka, hiro], there: []) == [])
    #expect(departures.look([taka, hiro], there: [taka, hiro]) == [])
    #expect(departures.look([taka, hiro], there: [hiro]) == [taka])
  }

  @Test func whoHasNothingHasNothingToGiveBack() {
    var departures = Departures()
    #expect(departures.look([taka], there: [taka]) == [])
    #expect(departures.look([], there: []) == [])
    // Logged out in between, and attached something from elsewhere.
    #expect(departures.look([taka], there: []) == [])
  }
}

@Suite(.timeLimit(.minutes(1))) struct LogoutTests {
  /// Who is there, and which devices may not be taken away.
  private final class Office: Sendable {
    let there = Mutex<Set<String>>([])
    let mounted = Mutex<Set<String>>([])
  }

  private let bench: AttachingBench
  private let kept: KeptAttachments<FakeAttachDoor>
  private let office = Office()
  private let watch: LogoutWatch<FakeAttachDoor>

  init() async {
    let office = office
    bench = await AttachingBench()
    let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    kept = KeptAttachments(attachments: bench.attachments, book: MemoryKeptBook(), log: log)
    watch = LogoutWatch(
      attachments: bench.attachments, kept: kept,
      isThere: { name in office.there.withLock { $0.contains(name) } },
      check: { key, attachment throws(AgentError) in
        guard office.mounted.withLock({ $0.contains(key) }) else { return }
        throw AgentError(.inUse, "\(attachment.device.name) is in use on this machine")
      }, log: log)
  }

  private func attach(_ busID: String, as user: RemoteUser) async throws -> RemoteDevice {
    let device = await bench.exportDisk(busID)
    async let isNew = bench.attachments.up(device, as: user)
    await bench.finish(port: try await bench.attachedPort(busID))
    #expect(try await isNew)
    return device
  }

  private func attached() async -> Set<String> {
    Set(await bench.attachments.all().keys)
  }

  @Test func whoLogsOutGivesBackWhatIsNotKept() async throws {
    let lent = try await attach("1-1", as: bench.taka)
    let keptOne = try await attach("1-2", as: bench.taka)
    let others = try await attach("1-3", as: bench.hiro)
    _ = try await kept.keep(keptOne, for: bench.taka)
    var departures = Departures()
    office.there.withLock { $0 = ["taka"] }
    await watch.look(&departures)
    #expect(await attached() == [lent.key, keptOne.key, others.key])
    office.there.withLock { $0 = [] }
    await watch.look(&departures)
    #expect(await attached() == [keptOne.key, others.key])
  }

  @Test func whatCannotBeGivenBackStays() async throws {
    let mounted = try await attach("1-1", as: bench.taka)
    let other = try await attach("1-2", as: bench.taka)
    office.mounted.withLock { $0 = [mounted.key] }
    office.there.withLock { $0 = ["taka"] }
    var departures = Departures()
    await watch.look(&departures)
    office.there.withLock { $0 = [] }
    await watch.look(&departures)
    #expect(await attached() == [mounted.key])
    #expect(await bench.attachments.attachment(other.key) == nil)
    // It stays until somebody takes it off.
    office.mounted.withLock { $0 = [] }
    await watch.look(&departures)
    #expect(await attached() == [mounted.key])
  }

  @Test func whoNeverSatHereLosesNothing() async throws {
    let device = try await attach("1-1", as: bench.taka)
    var departures = Departures()
    for _ in 0..<3 { await watch.look(&departures) }
    #expect(await attached() == [device.key])
  }
}
