// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI
internal import LinuxHost
internal import SystemPackage
internal import USBCapture

/// The file a capture is written to, opened with the caller's own rights.
struct CaptureTarget {
  /// Milliseconds for what the session still has to say after it was told to stop.
  static let farewell: Int32 = 2000
  /// Blocks that are copied before the next look at Ctrl-C.
  static let blocksPerTurn = 64
  /// Bytes of one block at most.
  static let blockLength = AgentCalls.maximumSnapLength + CapturedPacket.blockOverhead

  private let name: String
  private let file: FileDescriptor
  /// True for `-`.
  let isStandardOutput: Bool

  /// Opens or replaces the file, for its owner alone where it is new: a capture may hold passwords.
  ///
  /// Throws `AgentError` (`failed`).
  init(_ name: String) throws(AgentError) {
    self.name = name
    isStandardOutput = name == "-"
    guard !isStandardOutput else {
      file = .standardOutput
      return
    }
    do {
      file = try FileDescriptor.open(
        FilePath(name), .writeOnly, options: [.create, .truncate, .closeOnExec],
        permissions: .ownerReadWrite)
    } catch {
      throw AgentError(
        .failed, "\(name) cannot be written (\(error))", hint: "name a file of your own")
    }
  }

  /// Copies all blocks of `source` until it ends, or for a moment more after `termination` became
  /// readable; throws `AgentError` (`failed`).
  func copy(
    _ source: SharedDescriptor, until termination: Int32
  ) throws(AgentError) -> CaptureTally {
    defer { if !isStandardOutput { try? file.close() } }
    do {
      let socket = StreamSocket(try source.duplicate())
      let events = try Epoll()
      try events.add(socket.rawValue, for: [.input], token: 0)
      try events.add(termination, for: [.input], token: 1)
      return try copy(socket, events, termination)
    } catch let error as HostError {
      throw AgentError(.failed, "the capture broke (\(error))")
    } catch {
      throw AgentError(.failed, "\(name) cannot be written (\(error))")
    }
  }

  private func copy(
    _ socket: borrowing StreamSocket, _ events: borrowing Epoll, _ termination: Int32
  ) throws -> CaptureTally {
    var tally = CaptureTally()
    var isEnding = false
    let block = UnsafeMutableRawBufferPointer.allocate(
      byteCount: CaptureTarget.blockLength, alignment: 8)
    defer { block.deallocate() }
    guard let memory = block.baseAddress else { return tally }
    while true {
      let count = try events.wait(milliseconds: isEnding ? CaptureTarget.farewell : -1)
      guard count > 0 || !isEnding else { return tally }
      for index in 0..<count where events.event(at: index).token == 1 {
        // The session sees it, says how many packets it dropped, and closes its end.
        isEnding = true
        socket.endSending()
        try events.remove(termination)
      }
      // Some at a time: a busy device must not keep Ctrl-C waiting.
      for _ in 0..<CaptureTarget.blocksPerTurn {
        let length = socket.receive(into: memory, count: block.count)
        if length == StreamSocket.wouldBlock { break }
        guard length > 0 else { return tally }
        let bytes = UnsafeRawBufferPointer(rebasing: block[..<length])
        tally.take(bytes)
        try file.writeAll(bytes)
      }
    }
  }
}
