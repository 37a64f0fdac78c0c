// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import ExportSession
import LinuxHost
import TestSupport
import Testing
import USBIPWire
import USBModel

/// Drives a session on a thread; afterwards the session must have ended and kept nothing.
///
/// The peer is connected, and nothing is sent yet. The result is why the session ended.
func withSession(
  answer: SessionHarness.AcquireAnswer = .device(VirtualDevice.description()),
  listed: [Device] = [], deadline: Int = 8000, limits: URBPhaseLimits = URBPhaseLimits(),
  _ body: @escaping @Sendable (inout LoopbackPeer, SessionHarness) throws -> Void
) async throws -> SessionEnd {
  try await BackgroundThread.run {
    let pair = try SessionHarness.connection()
    let test = try pair.test.duplicate()
    let session = try pair.session.duplicate()
    _ = consume pair
    let harness = try SessionHarness(
      connection: session, answer: answer, listed: listed, deadline: deadline, limits: limits)
    var peer = LoopbackPeer(test, devid: VirtualDevice.description().devid)
    try body(&peer, harness)
    peer.finish()
    let end = try harness.end()
    try harness.expectNothingLeft()
    #expect(harness.device.unreapedCount == 0, "the session left transfers with the device")
    return end
  }
}

/// The same behind a successful import of `3-2.1` through the plain door.
func withImport(
  limits: URBPhaseLimits = URBPhaseLimits(),
  _ body: @escaping @Sendable (inout LoopbackPeer, SessionHarness) throws -> Void
) async throws -> SessionEnd {
  try await withSession(limits: limits) { peer, harness in
    try peer.send(importRequest)
    _ = try peer.receive(importReplyLength)
    try body(&peer, harness)
  }
}

/// The same behind SET_INTERFACE 1, which brings isochronous IN 3 and OUT 3; seqnum 1 is used up.
func withIsochronous(
  limits: URBPhaseLimits = URBPhaseLimits(),
  _ body: @escaping @Sendable (inout LoopbackPeer, SessionHarness) throws -> Void
) async throws -> SessionEnd {
  try await withImport(limits: limits) { peer, harness in
    try peer.submitControl(1, SetupPacket(requestType: 1, request: 11, value: 1))
    #expect(try peer.answer() == .submit(1, 0))
    try body(&peer, harness)
  }
}

extension LoopbackPeer {
  /// Shows that the stream is in step and the device works: one more URB, under `seqnum`.
  mutating func expectService(_ seqnum: UInt32 = 0xF00D) throws {
    try submitIn(seqnum, 4, length: 2)
    #expect(try answer() == .submit(seqnum, 0, 2, [0, 7]))
  }
}

/// OP_REP_IMPORT with a device, in bytes.
let importReplyLength = 320

/// OP_REQ_IMPORT of `3-2.1`.
let importRequest: [UInt8] =
  [0x01, 0x11, 0x80, 0x03, 0, 0, 0, 0] + padded("3-2.1", to: 32)

func padded(_ text: String, to length: Int) -> [UInt8] {
  Array(text.utf8) + [UInt8](repeating: 0, count: length - text.utf8.count)
}

/// Bytes of which neighbours differ, also at a distance of 256.
func pattern(_ count: Int) -> [UInt8] {
  (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
}
