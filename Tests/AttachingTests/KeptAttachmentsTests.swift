// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import Attaching
import Logging
import Synchronization
import TestSupport
import Testing

/// A book in memory, whose every version can be looked at.
actor MemoryKeptBook: KeptBook {
  private(set) var history: [KeptDevices]
  var failure: AgentError?

  init(_ kept: KeptDevices = KeptDevices()) { history = [kept] }

  func fail(with error: AgentError?) { failure = error }
  func read() -> KeptDevices { history.last ?? KeptDevices() }
  func write(_ kept: KeptDevices) throws(AgentError) {
    if let failure { throw failure }
    history.append(kept)
  }
}

/// One machine that keeps the disk of alpha attached.
struct KeepingBench {
  let door: FakeAttachDoor
  let attachments: Attachments<FakeAttachDoor>
  let kept: KeptAttachments<FakeAttachDoor>
  let book: MemoryKeptBook
  let disk = AttachingBench.remote("1-1.2")
  let taka = RemoteUser(user: "taka", host: "beta")

  init(_ before: KeptDevices = KeptDevices()) async {
    let undo = MemoryUndoBook()
    let door = FakeAttachDoor(undo: undo)
    let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let attachments = Attachments(
      door: door, undo: undo, book: MemoryAttachmentBook(), timing: AttachingBench.patient, log: log
    )
    await door.connect { [weak attachments] in await attachments?.localDevicesChanged() }
    await door.export(
      DeviceSamples.disk(),
      stages: [AttachingBench.seen(driver: "usb-storage", nodes: ["/dev/sdb"])])
    book = MemoryKeptBook(before)
    kept = KeptAttachments(attachments: attachments, book: book, log: log)
    self.door = door
    self.attachments = attachments
  }

  /// Runs `body` while kept devices are watched and what is attached comes up at once.
  func run(_ body: () async throws -> Void) async throws {
    await kept.load()
    let watch = Task { await kept.run() }
    let feeder = Task {
      for count in 1... {
        try await door.log.wait { Self.attachCount($0) >= count }
        await door.advance(port: 0)
      }
    }
    let outcome = await Result { try await body() }
    await kept.stop()
    feeder.cancel()
    await watch.value
    try outcome.get()
  }

  /// Waits until the kernel has taken a device so many times and the disk, or `device`, is usable.
  func attached(times: Int, _ device: RemoteDevice? = nil) async throws {
    try await door.log.wait { Self.attachCount($0) >= times }
    while await attachments.attachment((device ?? disk).key)?.state != .attached {
      try Task.checkCancellation()
      await Task.yield()
    }
  }

  /// Waits until the kept disk is not attached for `reason`.
  func waiting(_ reason: String) async throws {
    while await kept.retries[disk.key]?.reason != reason {
      try Task.checkCancellation()
      await Task.yield()
    }
  }

  /// Waits until the exporter was asked so many times.
  func asked(times: Int) async throws {
    try await door.log.wait { events in
      events.count { if case .importing = $0 { true } else { false } } >= times
    }
  }

  private static func attachCount(_ events: [FakeAttachDoor.Event]) -> Int {
    events.count { if case .attached = $0 { true } else { false } }
  }
}

extension Result where Failure == any Error {
  /// The outcome of `body`.
  fileprivate init(_ body: () async throws -> Success) async {
    do { self = .success(try await body()) } catch { self = .failure(error) }
  }
}

@Suite(.timeLimit(.minutes(1))) struct KeptAttachmentsTests {
  @Test func aKeptDeviceIsAttachedAndComesBackWhenItIsLost() async throws {
    let bench = await KeepingBench()
    try await bench.run {
      #expect(try await bench.kept.keep(bench.disk, for: bench.taka))
      #expect(try await bench.kept.keep(bench.disk, for: bench.taka) == false)
      try await bench.attached(times: 1)
      #expect(await bench.attachments.attachment(bench.disk.key)?.user == bench.taka)
      await bench.door.cut(port: 0)
      try await bench.attached(times: 2)
      // The answer comes a moment after the state.
      while await !bench.kept.retries.isEmpty {
        try Task.checkCancellation()
        await Task.yield()
      }
    }
    #expect(await bench.book.history.last?.entries.keys.sorted() == [bench.disk.key])
  }

  @Test func itIsKeptOverARestart() async throws {
    var before = KeptDevices()
    let disk = AttachingBench.remote("1-1.2")
    _ = try before.keep(
      KeptDevices.Entry(user: RemoteUser(user: "taka", host: "beta"), device: disk))
    let bytes = try Message.encode(before)
    let bench = await KeepingBench(
      try Message.decode(KeptDevices.self, from: bytes.dropLast()))
    try await bench.run { try await bench.attached(times: 1) }
    #expect(await bench.attachments.attachment(disk.key)?.user == bench.taka)
  }

  @Test func whoLetsGoIsNotGivenItAgain() async throws {
    let bench = await KeepingBench()
    try await bench.run {
      _ = try await bench.kept.keep(bench.disk, for: bench.taka)
      try await bench.attached(times: 1)
      #expect(try await bench.kept.release(bench.disk.key))
      #expect(try await bench.attachments.down(bench.disk.key))
      #expect(try await bench.kept.release(bench.disk.key) == false)
      // Longer than the first wait after a loss.
      try await Task.sleep(for: RetrySchedule.first * 2)
    }
    #expect(await bench.attachments.all().isEmpty)
    #expect(await bench.book.history.last?.entries.isEmpty == true)
  }

  @Test func aFailureSaysWhyAndWhenAndAnAnnouncementIsTriedAtOnce() async throws {
    let bench = await KeepingBench()
    let refusal = AgentError(.inUse, "the disk is in use by hiro@gamma")
    await bench.door.refuse("1-1.2", with: refusal)
    try await bench.run {
      _ = try await bench.kept.keep(bench.disk, for: bench.taka)
      // After the third failure it waits 4 s.
      try await bench.asked(times: 3)
      while await bench.kept.retries[bench.disk.key]?.due ?? .now < .now + .seconds(2) {
        await Task.yield()
      }
      let retry = try #require(await bench.kept.retries[bench.disk.key])
      #expect(retry.reason == "the disk is in use by hiro@gamma")
      #expect(!retry.isFlapping)
      await bench.door.refuse("1-1.2", with: nil)
      var moved = bench.disk
      moved.exporter.addresses = ["10.9.0.99"]
      await bench.kept.announced(moved)
      try await bench.attached(times: 1)
      #expect(ContinuousClock.now < retry.due)
      #expect(
        await bench.book.history.last?.entries[bench.disk.key]?.device.exporter.addresses
          == ["10.9.0.99"])
    }
  }

  @Test func whatCannotBeWrittenDownIsNotKept() async throws {
    let bench = await KeepingBench()
    await bench.book.fail(with: AgentError(.failed, "no room"))
    try await bench.run {
      await #expect(throws: AgentError.self) {
        try await bench.kept.keep(bench.disk, for: bench.taka)
      }
      #expect(await bench.kept.devices.entries.isEmpty)
    }
    #expect(await bench.attachments.all().isEmpty)
  }

  @Test func lettingGoWaitsForTheTryUnderWay() async throws {
    let bench = await KeepingBench()
    try await bench.run {
      bench.door.importing.close()
      _ = try await bench.kept.keep(bench.disk, for: bench.taka)
      try await bench.asked(times: 1)
      let release = Task { try await bench.kept.release(bench.disk.key) }
      bench.door.importing.open()
      #expect(try await release.value)
      #expect(try await bench.attachments.down(bench.disk.key))
      #expect(await bench.attachments.all().isEmpty)
    }
  }

  @Test func moreThanThereArePortsAreNotKept() throws {
    var kept = KeptDevices()
    let user = RemoteUser(user: "taka", host: "beta")
    for number in 1...KeptDevices.maximum {
      _ = try kept.keep(
        KeptDevices.Entry(user: user, device: AttachingBench.remote("1-\(number)")))
    }
    let error = #expect(throws: AgentError.self) {
      try kept.keep(KeptDevices.Entry(user: user, device: AttachingBench.remote("2-1")))
    }
    #expect(error?.message == "240 devices are kept already")
  }
}
