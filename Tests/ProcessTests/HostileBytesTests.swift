// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import Glibc
import LinuxHost
import SystemPackage
import TestSupport
import Testing
import USBIPWire
import USBModel

extension Processes {
  /// Bytes from the network and from local programs that make no sense: the agent goes on.
  @Suite(.timeLimit(.minutes(1))) struct HostileBytesTests {
    static let requests: [[UInt8]] = [
      [0x00], [0xFF, 0xFF, 0xFF, 0xFF], Array("GET / HTTP/1.1\r\nHost: alpha\r\n\r\n".utf8),
      Array("{garbage".utf8) + [0], Array(#"{"method":"org.devconfig.Agent.List"}"#.utf8) + [0],
      Array("{}".utf8) + [0], [0x16, 0x03, 0x01, 0x02, 0x00],
      // Version 1.1.1, codes that are none, and replies in place of requests.
      [0x01, 0x11, 0x80, 0x55, 0, 0, 0, 0], [0x01, 0x11, 0x00, 0x03, 0, 0, 0, 0],
      // Another version.
      [0x01, 0x06, 0x80, 0x05, 0, 0, 0, 0],
      // A bus ID without an end, one that leaves its folder, and half a request.
      [0x01, 0x11, 0x80, 0x03, 0, 0, 0, 0] + [UInt8](repeating: 0x31, count: 32),
      [0x01, 0x11, 0x80, 0x03, 0, 0, 0, 0] + Array("../../../../etc/passwd".utf8)
        + [UInt8](repeating: 0, count: 10),
      [0x01, 0x11, 0x80, 0x03, 0, 0, 0, 0, 0x31],
      // A submit before any import, and more than any request has.
      [0, 0, 0, 1] + [UInt8](repeating: 0xAA, count: 44), [UInt8](repeating: 0x01, count: 100_000),
    ]

    /// Every request above, imports cut off anywhere, an import with URBs behind it.
    private static let sample: [[UInt8]] = {
      let request = OperationRequestEncoder.importDevice(DeviceSamples.busID("1-1"))
      let cut = [0, 1, 7, 8, 9, 39, 40].map { Array(request.prefix($0)) }
      return requests + cut + [request + [UInt8](repeating: 1, count: 500)]
    }()

    /// Whoever asks for a device of others gets to know only that there is none of theirs.
    @Test(arguments: [false, true])
    func whoAsksForADeviceBackMustBeItsMachine(isPrivileged: Bool) async throws {
      let machine = try Machine()
      try await machine.startAgent()
      let call = try Message.encode(
        Call(
          ImporterCalls.giveBack,
          ImporterCalls.GiveBackParameters(exporter: "a1", busid: "1-1", force: true)))
      let reply = try await TCPClient.exchange(
        call, with: machine.port, isPrivileged: isPrivileged && geteuid() == 0)
      let error = try Message.decode(ErrorReply.self, from: reply.dropLast())
      #expect(
        error.error == ImporterCalls.interface
          + (isPrivileged && geteuid() == 0 ? ".UnknownDevice" : ".NotPermitted"))
    }

    @Test("rows 1, 2, 24: however a connection ends, agent and device are as before")
    func nothingIsLeft() async throws {
      let machine = try Machine()
      try machine.tree.add(DeviceSamples.disk("1-1"))
      let agent = try await machine.startAgent()
      _ = try await TCPClient.exchange(
        OperationRequestEncoder.deviceList(), with: machine.port, finishing: true)
      try await LifeTests.wait(machine) { LifeTests.children(of: agent.pid).isEmpty }
      let before = try descriptors(of: agent.pid)
      for request in Self.sample {
        for resetting in [false, true] {
          let port = machine.port
          try await BackgroundThread.run {
            try TCPClient.sendAndGo(request, to: port, resetting: resetting)
          }
        }
      }
      let end = ContinuousClock.now
      // More connections were made than there may be descriptors of the agent's own.
      try await LifeTests.wait(machine) {
        LifeTests.children(of: agent.pid).isEmpty
          && ((try? descriptors(of: agent.pid)) ?? .max) < before + 10
      }
      _ = try await machine.list {
        $0.map(\.busID) == ["1-1"] && $0.map(\.remoteState) == [.available]
      }
      #expect(end.duration(to: .now) < .seconds(5))
      if machine.tree.exists("run/undo.json") {
        #expect(try machine.tree.read("run/undo.json") == #"{"claimed":[],"ports":[]}"#)
      }
      agent.signal(15)
      #expect(try await agent.ended() == 0)
    }

    /// How many a process has open (proc(5)).
    private func descriptors(of pid: pid_t) throws -> Int {
      guard let stream = opendir("/proc/\(pid)/fd") else {
        throw NotInTime(description: "no process \(pid)")
      }
      defer { closedir(stream) }
      var count = 0
      while readdir(stream) != nil { count += 1 }
      return count
    }

    @Test func malformedRequestsOnTheTCPPort() async throws {
      let machine = try Machine()
      try machine.tree.add(DeviceSamples.disk("1-1"))
      let agent = try await machine.startAgent()
      for request in Self.requests {
        let reply = try await TCPClient.exchange(request, with: machine.port, finishing: true)
        // At most a refusal of 8 bytes, or an error in the language of agents.
        #expect(reply.count <= 8 || reply.first == UInt8(ascii: "{"), "\(request.prefix(16))")
      }
      let reply = try await TCPClient.ask(
        OperationRequestEncoder.deviceList(), expecting: .deviceList, of: machine.port)
      guard case .deviceList(let devices) = reply else {
        Issue.record("\(reply)")
        return
      }
      #expect(devices.map(\.busID.description) == ["1-1"])
      #expect(try await machine.list().map(\.remoteState) == [.available])
      agent.signal(15)
      #expect(try await agent.ended() == 0)
    }

    @Test func randomBytesOnTheTCPPort() async throws {
      let machine = try Machine()
      let agent = try await machine.startAgent()
      await withTaskGroup(of: Void.self) { group in
        for _ in 0..<20 {
          group.addTask {
            let bytes = (0..<Int.random(in: 1...2000)).map { _ in UInt8.random(in: 0...255) }
            _ = try? await TCPClient.exchange(bytes, with: machine.port, finishing: true)
          }
        }
      }
      #expect(try await machine.devconfig("list").code == .success)
      agent.signal(15)
      #expect(try await agent.ended() == 0)
    }

    @Test func garbageOnTheLocalSocket() async throws {
      let machine = try Machine()
      let agent = try await machine.startAgent()
      for text in ["", "garbage", "{}", #"{"method":"org.devconfig.Agent.Format"}"#, "[[[[["] {
        let reply = try await machine.exchange(Array(text.utf8) + [0])
        let error = try #require(throws: AgentError.self) {
          _ = try Message.decodeReply(Nothing.self, from: reply)
        }
        #expect(error.kind == .protocolMismatch)
      }
      #expect(try await machine.devconfig("list").code == .success)
      agent.signal(15)
      #expect(try await agent.ended() == 0)
    }

    @Test func aLocalMessageWithoutAnEnd() async throws {
      let machine = try Machine()
      let agent = try await machine.startAgent()
      let socket = machine.socket
      let isClosed = try await BackgroundThread.run {
        let client = try LocalClient.connect(to: socket)
        do {
          for _ in 0..<64 { try client.send([UInt8](repeating: 0x61, count: 65536)) }
          while try client.receive(deadline: 20_000) != nil {}
          return true
        } catch let error as HostError {
          // Closed with bytes unread.
          return error.code == .connectionReset || error.code == .brokenPipe
        }
      }
      #expect(isClosed)
      try await agent.line("a local caller sent what is no message")
      #expect(try await machine.devconfig("list").code == .success)
    }

    @Test func aLocalCallerThatGoesAwayInTheMiddle() async throws {
      let machine = try Machine()
      try await machine.startAgent()
      let socket = machine.socket
      try await BackgroundThread.run {
        for _ in 0..<50 {
          let client = try LocalClient.connect(to: socket)
          try client.send(Array(#"{"method":"org.devconfig.Agent.List"}"#.utf8) + [0, 0x7B])
        }
      }
      #expect(try await machine.devconfig("list").code == .success)
    }

    /// One user's programs that only sit there leave room for those of others.
    @Test(.enabled(if: OtherUser.canRun, "needs root, and programs that others may run"))
    func idleLocalCallersOfOneUserKeepNobodyElseOut() async throws {
      let machine = try Machine()
      try OtherUser.open(machine)
      try await machine.startAgent()
      let socket = machine.socket
      let clients = try await BackgroundThread.run {
        Clients(try (0..<300).map { _ in try LocalClient.connect(to: socket) })
      }
      #expect(try await machine.devconfigAsOther("list").code == .success)
      withExtendedLifetime(clients) {}
    }

    /// Holds connections open from another task.
    private final class Clients: @unchecked Sendable {
      // SAFETY: never touched again before it is dropped.
      private let all: [LocalClient]
      init(_ all: [LocalClient]) { self.all = all }
    }

    /// Connections that only sit there, more than one address may have.
    @Test("row 3: idle peers of one address are refused past the limit")
    func idlePeersOfOneAddressAreRefusedPastTheLimit() async throws {
      let machine = try Machine()
      let agent = try await machine.startAgent()
      var connections = try (0..<64).map { _ in try TCPClient.connect(machine.port) }
      // The next one is closed at once, whatever it says.
      let reply = try await TCPClient.exchange(
        OperationRequestEncoder.deviceList(), with: machine.port)
      #expect(reply.isEmpty)
      try await agent.line("too many connections", "127.0.0.1")
      connections = []
      // Those that left make room.
      var isServed = false
      let end = ContinuousClock.now + .seconds(15)
      while !isServed, ContinuousClock.now < end {
        isServed = try await !TCPClient.exchange(
          OperationRequestEncoder.deviceList(), with: machine.port
        ).isEmpty
      }
      #expect(isServed)
      withExtendedLifetime(connections) {}
    }
  }
}
