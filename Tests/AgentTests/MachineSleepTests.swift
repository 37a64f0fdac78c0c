// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import Attaching
import LinuxHost
import TestSupport
import Testing
import USBModel

@testable import Agent

@Suite(.timeLimit(.minutes(1))) struct MachineSleepTests {
  static let sleep = #"{"method":"org.devconfig.Agent.Sleep"}"#
  static let wake = #"{"method":"org.devconfig.Agent.Wake"}"#

  @Test func onlyRootSaysThatTheMachineSleeps() async throws {
    let bench = try AgentBench()
    let somebody = PeerCredentials(uid: 1000, gid: 1000, pid: 2)
    for call in [Self.sleep, Self.wake] {
      #expect(try await bench.reply(call, from: somebody).contains("NotPermitted"))
    }
    #expect(await !bench.sleep.isAsleep)
    #expect(try await bench.reply(Self.sleep) == #"{"parameters":{"left":[]}}"#)
    #expect(await bench.sleep.isAsleep)
    // Said twice it is the same.
    #expect(try await bench.reply(Self.sleep) == #"{"parameters":{"left":[]}}"#)
    _ = try await bench.reply(Self.wake)
    #expect(await !bench.sleep.isAsleep)
    _ = try await bench.reply(Self.wake)
  }

  @Test func nothingIsAttachedMeanwhile() async throws {
    let bench = try AgentBench()
    await bench.catalogue.found(AgentBench.remote(), source: "s1")
    _ = await bench.sleep.begin()
    let error = try await bench.error(AgentCalls.up, "optical")
    #expect(error.message == "this machine is about to sleep")
    await bench.sleep.end()
    // This bench has no session program, and no vhci_hcd: it is asked again.
    #expect(try await bench.error(AgentCalls.up, "optical").kind == .kernelSupportMissing)
  }

  @Test func whatIsKeptIsShownAsSleeping() async throws {
    let bench = try AgentBench()
    let device = AgentBench.remote()
    await bench.catalogue.found(device, source: "s1")
    _ = try await bench.kept.keep(device, for: RemoteUser(user: "taka", host: "beta"))
    _ = await bench.sleep.begin()
    let status = try #require(await bench.catalogue.list().first)
    #expect(status.localState == .retrying)
    #expect(status.isKept == true)
    #expect(status.nextTry == nil)
    #expect(status.reason == "this machine sleeps; it is tried once it is awake")
    await bench.sleep.end()
    #expect(await bench.catalogue.list().first?.nextTry == 0)
  }

  @Test func whatRunsWhileAwakeIsCancelledAndWaitedFor() async throws {
    let bench = try AgentBench()
    let events = EventLog<String>()
    let end = Turnstile()
    end.close()
    let (stream, _) = AsyncStream.makeStream(of: Void.self)
    let work = Task {
      await bench.sleep.whileAwake {
        events.record("begun")
        for await _ in stream {}
        events.record("told")
        await end.pass()
        events.record("ended")
      }
    }
    try await events.wait { $0.contains("begun") }
    let begin = Task {
      _ = await bench.sleep.begin()
      events.record("asleep")
    }
    try await events.wait { $0.contains("told") }
    end.open()
    await begin.value
    await work.value
    #expect(events.events == ["begun", "told", "ended", "asleep"])
    await bench.sleep.whileAwake { events.record("not now") }
    await bench.sleep.end()
    await bench.sleep.whileAwake { events.record("again") }
    #expect(events.events.last == "again")
    #expect(events.events.count == 5)
  }

  @Test func whoStopsTheAgentStopsWhatRuns() async throws {
    let bench = try AgentBench()
    let events = EventLog<String>()
    let (stream, _) = AsyncStream.makeStream(of: Void.self)
    let work = Task {
      await bench.sleep.whileAwake {
        events.record("begun")
        for await _ in stream {}
      }
    }
    try await events.wait { $0.contains("begun") }
    work.cancel()
    await work.value
  }

  @Test func swapSpaceIsLeftAndTheRestIsWritten() async throws {
    let storage = StorageSafety(name: "Cruzer Blade", id: 3)
    let open = LocalUse.open(node: "/dev/sg1", program: "x", process: 7)
    #expect(storage.swap(in: [open, .swap(node: "/dev/sdb2")]) == "/dev/sdb2")
    #expect(storage.swap(in: [open, .mounted(node: "/dev/sdb1", path: "/mnt")]) == nil)
    #expect(
      await storage.synchronize([.held(node: "/dev/sdb", holder: "dm-0"), open]) == [
        "dm-0: everything is written, and /dev/sdb is taken away under it"
      ])
  }
}
