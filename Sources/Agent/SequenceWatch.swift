// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI
internal import Attaching
internal import LinuxHost
internal import Logging
internal import SystemPackage

/// Follows how many sequence numbers the controllers of vhci_hcd have used, and has empty ones made anew in time.
///
/// Looks, renewals and attaching follow each other, so that nothing is attached to a controller that is made anew.
actor SequenceWatch {
  /// Between two looks.
  static let interval = Duration.seconds(60)

  private let host: VirtualHost
  private let procfs: FilePath
  private let file: StateFile
  private let renewal: UInt64
  private let log: Logger
  private var record: SequenceRecord
  private var halves: [Int: SequenceBudget.Half] = [:]
  /// What the journal was told of, so that it is told once.
  private var told: [SequenceBudget.Half: SequenceBudget.Wear] = [:]
  /// Controllers that could not be made anew, likewise.
  private var stuck: Set<Int> = []
  private var last: Task<Void, Never>?
  private let wakes: AsyncStream<Void>
  private let wake: AsyncStream<Void>.Continuation

  /// Controllers are made anew from `renewal` numbers on.
  init(places: Places, renewal: UInt64, log: Logger) {
    host = VirtualHost(sysfs: Sysfs(root: places.sysfs))
    procfs = places.procfs
    file = StateFile(path: places.sequences)
    self.renewal = renewal
    self.log = log
    record = self.file.record(SequenceRecord.self) ?? SequenceRecord()
    (wakes, wake) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
  }

  /// Looks every minute, and soon after `lookSoon`, until it is cancelled.
  func run() async {
    await withDiscardingTaskGroup { group in
      group.addTask {
        while !Task.isCancelled {
          self.wake.yield()
          try? await Task.sleep(for: SequenceWatch.interval)
        }
      }
      group.addTask {
        for await _ in self.wakes { await self.look() }
      }
    }
  }

  /// Asks for a look, where a port was freed.
  nonisolated func lookSoon() { wake.yield() }

  /// Takes in what the kernel shows now, and does what follows from it.
  func look() async {
    await alone { await $0.takeLook() }
  }

  /// Runs `attach` while no controller is made anew.
  func attaching(
    _ attach: @escaping @Sendable () throws(HostError) -> Void
  ) async throws(HostError) {
    let result = await alone { _ in
      await BlockingWork.run("attach") { () -> Result<Void, HostError> in
        do throws(HostError) { return .success(try attach()) } catch { return .failure(error) }
      }
    }
    try result.get()
  }

  /// The controllers that nothing more is to be attached to, while others have room.
  var wornControllers: Set<Int> { record.budget.wornControllers(renewal: renewal) }

  /// Each half, for people.
  var reports: [ControllerReport] {
    record.budget.halves.map { half in
      ControllerReport(
        controller: half.controller, isSuperSpeed: half.isSuperSpeed,
        used: record.budget.used(half), state: state(half))
    }
  }

  /// How far the half is that `port` belongs to.
  func state(port: Int) -> ControllerReport.State { halves[port].map(state) ?? .fresh }

  private func state(_ half: SequenceBudget.Half) -> ControllerReport.State {
    switch record.budget.wear(half, renewal: renewal) {
    case .fresh: .fresh
    case .worn: .worn
    case .ending: .ending
    }
  }

  private func alone<Value: Sendable>(
    _ work: @escaping @Sendable (SequenceWatch) async -> Value
  ) async -> Value {
    let before = last
    // Owned by this actor and awaited right here: it ends before this call does.
    let task = Task {
      await before?.value
      return await work(self)
    }
    last = Task { _ = await task.value }
    return await task.value
  }

  private func takeLook() async {
    let seen = await BlockingWork.run("controllers") { [host] in
      (hubs: host.hubs(), ports: (try? host.ports()) ?? [])
    }
    var next = record
    next.budget.take(seen.hubs.map(SequenceWatch.sample))
    halves = Dictionary(
      seen.ports.map {
        ($0.number, .init(controller: $0.controller, isSuperSpeed: $0.isSuperSpeed))
      }, uniquingKeysWith: { $1 })
    await keep(next)
    tell()
    await bindAgain()
    let busy = Set(seen.ports.filter { $0.state != .free }.map(\.controller))
    for controller in wornControllers.subtracting(busy).sorted() where controller > 0 {
      await renew(controller)
    }
  }

  private static func sample(_ hub: VirtualHub) -> SequenceBudget.Sample {
    SequenceBudget.Sample(
      half: .init(controller: hub.controller, isSuperSpeed: hub.isSuperSpeed),
      generation: hub.generation, urbs: hub.urbs)
  }

  private func keep(_ next: SequenceRecord) async {
    guard next != record else { return }
    record = next
    guard let failure = await file.save(next, "sequence numbers") else { return }
    log.warning(
      "the sequence numbers cannot be written down, a restart begins at 0",
      metadata: ["error": "\(failure)"])
  }

  private func tell() {
    for half in record.budget.halves {
      let wear = record.budget.wear(half, renewal: renewal)
      defer { told[half] = wear }
      // An empty one of the others is made anew right away.
      guard wear != told[half], wear == .ending || (wear == .worn && half.controller == 0) else {
        continue
      }
      let metadata: Logger.Metadata = [
        "controller": "\(half.controller)", "half": half.isSuperSpeed ? "SuperSpeed" : "high-speed",
        "sequence.used": "\(record.budget.used(half))", "sequence.limit": "\(SequenceBudget.limit)",
        "hint": wear == .ending
          ? "devconfig status names the devices; devconfig down ID and up ID moves one"
          : "with nothing attached: modprobe -r vhci-hcd && modprobe vhci-hcd",
      ]
      if wear == .ending {
        log.warning(
          "a controller of vhci_hcd runs out of sequence numbers: its devices will be lost",
          metadata: metadata)
      } else {
        log.notice(
          "controller 0 of vhci_hcd is worn, and has the control files: it is left alone while others have room",
          metadata: metadata)
      }
    }
  }

  /// Has the kernel make an empty controller anew; written down first, so that a crash leaves none without driver.
  private func renew(_ controller: Int) async {
    var next = record
    next.unbound.insert(controller)
    await keep(next)
    do throws(HostError) {
      try await BlockingWork.run("renew controller") { [host, procfs] () throws(HostError) in
        try host.renew(controller: controller, procfs: procfs)
      }
      log.notice(
        "an empty controller of vhci_hcd was made anew, its sequence numbers begin at 0",
        metadata: ["controller": "\(controller)"])
      stuck.remove(controller)
    } catch {
      tellStuck(controller, error)
    }
    await bindAgain()
  }

  /// Gives controllers their driver back that have none; those that have it are not looked after any more.
  private func bindAgain() async {
    for controller in record.unbound.sorted() {
      do throws(HostError) {
        try await BlockingWork.run("bind controller") { [host] () throws(HostError) in
          try host.bind(controller: controller)
        }
      } catch {
        tellStuck(controller, error)
        continue
      }
      var next = record
      next.unbound.remove(controller)
      let hubs = await BlockingWork.run("controllers") { [host] in host.hubs() }
      next.budget.take(hubs.map(SequenceWatch.sample))
      await keep(next)
    }
  }

  private func tellStuck(_ controller: Int, _ error: HostError) {
    guard stuck.insert(controller).inserted else { return }
    log.warning(
      "a controller of vhci_hcd cannot be made anew, trying again",
      metadata: [
        "controller": "\(controller)", "error": "\(error)",
        "hint": error.code == .readOnlyFileSystem
          ? "systemctl restart devconfigd, which lets it write there"
          : "with nothing attached: modprobe -r vhci-hcd && modprobe vhci-hcd",
      ])
  }
}
