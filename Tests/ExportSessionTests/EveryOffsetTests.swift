// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import ExportSession
import LinuxHost
import TestSupport
import Testing
import USBIPWire

/// Connections that end after any byte of a session.
///
/// In a process of its own, which counts its descriptors before and after.
@Suite("Hostile peers: the end at every byte", .timeLimit(.minutes(2)))
struct EveryOffsetTests {
  private enum Ending {
    /// FIN, and the replies are read.
    case halfClosed
    /// FIN, and nobody is there any more.
    case closed
    /// RST.
    case reset
  }

  @Test("row 24: the end after any byte, half closed, closed or reset, leaves nothing")
  func everyOffset() async {
    await #expect(processExitsWith: .success) {
      for ending in [Ending.halfClosed, .closed, .reset] { try await EveryOffsetTests.play(ending) }
    }
  }

  private static func play(_ ending: Ending) async throws {
    try await BackgroundThread.run {
      let listener = try LoopbackPeerListener()
      let bytes = SessionRecording.everything.bytes
      // The first ones make what a process keeps for good.
      for length in [0, 7, 40, bytes.count] { try round(length, of: bytes, ending, listener) }
      let before = ProcessFootprint.descriptors()
      for length in 0...bytes.count { try round(length, of: bytes, ending, listener) }
      let isClean = ProcessFootprint.settles(at: before)
      try #require(isClean, "\(before) before, \(ProcessFootprint.descriptors()) after")
    }
  }

  /// One session of which `length` bytes come.
  private static func round(
    _ length: Int, of bytes: [UInt8], _ ending: Ending, _ listener: borrowing LoopbackPeerListener
  ) throws {
    let pair = ending == .reset ? try listener.connect() : try SessionHarness.connection()
    let test = try pair.test.duplicate()
    let session = try pair.session.duplicate()
    _ = consume pair
    let harness = try SessionHarness(connection: session)
    try leave(LoopbackPeer(test, devid: 0), after: Array(bytes.prefix(length)), ending)
    let closed = ContinuousClock.now
    let end = try harness.end()
    try harness.expectNothingLeft()
    let took = closed.duration(to: .now)
    try #require(took < .seconds(5), "after \(length) bytes: \(took)")
    let left = harness.device.unreapedCount
    try #require(left == 0, "after \(length) bytes: \(left) transfers")
    let isExpected =
      switch end {
      case .peerClosed: length == 0 || boundaries.contains(length)
      case .truncated: length > 0 && !boundaries.contains(length)
      case .connectionFailed: ending != .halfClosed
      default: false
      }
    try #require(isExpected, "after \(length) bytes: \(end)")
  }

  /// Sends and goes.
  private static func leave(
    _ peer: consuming LoopbackPeer, after bytes: [UInt8], _ ending: Ending
  ) throws {
    // While the altsetting is changed a closing peer would end the session before the rest is read.
    let first = Array(bytes.prefix(afterAltsetting))
    if !first.isEmpty { try peer.send(first) }
    if bytes.count > first.count {
      _ = try peer.receive(importReplyLength + 2 * URBCommand.headerLength)
      try peer.send(Array(bytes[first.count...]))
    }
    switch ending {
    case .halfClosed:
      peer.finishSending()
      _ = try peer.receiveAll()
    case .closed: break
    case .reset: peer.resetWhenClosed()
    }
  }

  /// The end of the third message.
  private static let afterAltsetting = SessionRecording.everything.messages.prefix(3)
    .reduce(0) { $0 + $1.count }

  /// Where messages end.
  private static let boundaries: Set<Int> = {
    var end = 0
    return Set(
      SessionRecording.everything.messages.map { message in
        end += message.count
        return end
      })
  }()
}
