// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import LinuxHost
import TestSupport

/// The reader's end of a capture, and what its blocks say.
final class CaptureReader: Sendable {
  /// usbmon's header of one packet, and what lies behind it.
  struct Packet: Hashable {
    var kind: Character
    var id: UInt64
    /// 0 isochronous, 1 interrupt, 2 control, 3 bulk.
    var pipe: UInt8
    var endpointAddress: UInt8
    var device: UInt8
    var bus: UInt8
    var status: Int32
    var length: UInt32
    /// Nothing where there is none.
    var setup: [UInt8]
    var descriptors: [[UInt8]]
    var data: [UInt8]
  }

  let sockets: CaptureSockets
  private let socket: StreamSocket

  init() throws {
    sockets = try CaptureSockets()
    socket = StreamSocket(try sockets.reader.duplicate())
  }

  /// The next block; nothing at the end.
  func block() throws -> [UInt8] {
    try BackgroundThread.wait(for: socket.rawValue)
    var bytes = [UInt8](repeating: 0, count: 300_000)
    let length = bytes.withUnsafeMutableBytes { buffer -> Int in
      guard let start = buffer.baseAddress else { return 0 }
      return socket.receive(into: start, count: buffer.count)
    }
    return Array(bytes.prefix(max(0, length)))
  }

  /// The next packet; `nil` for a block that is none.
  func packet() throws -> Packet? {
    let block = try block()
    guard block.count >= 96, Self.number(block, 0) == 6 else { return nil }
    let captured = Int(Self.number(block, 20))
    let header = Array(block[28..<92])
    let count = Int(Self.number(header, 60))
    let rest = Array(block[92..<28 + captured])
    return Packet(
      kind: Character(UnicodeScalar(header[8])),
      id: UInt64(Self.number(header, 0)) | UInt64(Self.number(header, 4)) << 32, pipe: header[9],
      endpointAddress: header[10], device: header[11], bus: header[12],
      status: Int32(bitPattern: Self.number(header, 28)), length: Self.number(header, 32),
      setup: header[14] == 0 ? Array(header[40..<48]) : [],
      descriptors: (0..<count).map { Array(rest[$0 * 16..<$0 * 16 + 16]) },
      data: Array(rest[(count * 16)...]))
  }

  /// What the reader does at its end.
  func stop() { socket.endSending() }

  /// The double word at `offset`, least significant byte first.
  static func number(_ bytes: [UInt8], _ offset: Int) -> UInt32 {
    (0..<4).reduce(0) { $0 | UInt32(bytes[offset + $1]) << UInt32(8 * $1) }
  }
}

extension SessionHarness {
  /// Starts a capture into `reader`.
  func capture(_ reader: CaptureReader, snapLength: Int = 65_536) throws {
    _ = try ask(
      SessionCalls.capture, SessionCalls.CaptureParameters(snapLength: snapLength), Nothing.self,
      descriptor: reader.sockets.writer)
  }
}
