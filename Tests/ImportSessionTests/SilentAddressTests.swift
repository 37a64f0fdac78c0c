// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import LinuxHost
import SessionControl
import SystemPackage
import TestSupport
import Testing

@Suite("Import session: an address where nobody takes connections")
struct SilentAddressTests {
  @Test("it is given up before the deadline of the whole exchange")
  func isGivenUp() async throws {
    let listener = try LoopbackPeerListener()
    let port = listener.port
    let waiting = try await BackgroundThread.run { try SilentAddressTests.fillQueue(of: port) }
    let assignment = SessionCalls.Assignment(
      role: .importDevice, peer: "127.0.0.1:\(port)", address: "127.0.0.1", port: port,
      door: .plain, busID: "3-2.1", deadline: 60_000)
    let agent = try LoopbackPeerAgent()
    let started = ContinuousClock.now
    let error = try await BackgroundThread.run { try importing(assignment, agent) }
    #expect(ContinuousClock.now - started < .seconds(20))
    #expect(error?.kind == .unreachable)
    #expect(error?.message == "127.0.0.1:\(port) does not answer: Connection timed out")
    #expect(!waiting.isEmpty)
  }

  /// Connects until the kernel drops what comes, as the network does that leads to a machine that is off.
  private static func fillQueue(of port: UInt16) throws -> [Waiting] {
    let address = try #require(NetworkAddress(numeric: "127.0.0.1", port: port))
    var waiting: [Waiting] = []
    while waiting.count < 64 {
      let connection = Waiting(try DialSocket.make(for: address))
      guard connection.isTaken(by: address) else { return waiting }
      waiting.append(connection)
    }
    throw HostError("fill the queue of", "127.0.0.1", .tooManyOpenFiles)
  }

  /// A connection that nobody accepts.
  private final class Waiting: Sendable {
    let socket: StreamSocket

    init(_ socket: consuming OwnedDescriptor) {
      self.socket = StreamSocket(socket)
    }

    func isTaken(by address: NetworkAddress) -> Bool {
      (try? socket.connect(to: address, before: .now + .milliseconds(500))) != nil
    }
  }
}
