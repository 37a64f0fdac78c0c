// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import LinuxHost
internal import USBCapture
internal import USBIPWire

/// A capture that runs: each event of a URB is one packet to the reader, or is dropped and counted.
///
/// Sending never waits, and what may lie unread in the kernel is bounded by the agent. A class, with
/// the URB phase as its only owner, because an optional `~Copyable` value cannot be used in place.
final class URBCapture {
  private let socket: StreamSocket
  private let snapLength: Int
  /// What is added to the monotonic clock to get the time of day: a step of the latter does not show.
  private let epoch: UInt64
  /// Front, descriptors and end of one block.
  private let scratch: UnsafeMutableRawPointer
  private var pieces = GatherList()
  /// Packets the reader was given.
  private(set) var recorded: UInt64 = 0
  /// Packets it was too slow for.
  private(set) var dropped: UInt64 = 0
  /// True where the reader is gone.
  private(set) var isBroken = false

  /// Writes to `socket`, which keeps packets apart; `snapLength` bytes of data of one URB at most.
  init(_ socket: consuming StreamSocket, snapLength: Int) {
    self.socket = socket
    self.snapLength = snapLength
    epoch = HostClock.wall &- HostClock.monotonic
    scratch = .allocate(byteCount: CapturedPacket.blockOverhead, alignment: 8)
  }

  deinit {
    scratch.deallocate()
  }

  /// The number to poll: the reader has shut down its end.
  var rawValue: Int32 { socket.rawValue }

  /// The time of day at a moment of the monotonic clock, in nanoseconds since 1970.
  func time(_ monotonic: UInt64) -> UInt64 { monotonic &+ epoch }

  /// Sends what a file begins with.
  func open(interface: String, description: String, application: String) {
    send(
      CaptureFile.opening(
        application: application, interface: interface, description: description,
        snapLength: snapLength))
  }

  /// Sends what a file ends with.
  func close(at monotonic: UInt64) {
    guard !isBroken else { return }
    send(CaptureFile.closing(time: time(monotonic), recorded: recorded, dropped: dropped))
    socket.endSending()
  }

  /// Sends one event; `available` bytes of its data lie at `data`, and the isochronous `packets` in
  /// the form of the wire.
  func record(
    _ event: USBEvent, data: UnsafeMutableRawPointer, available: Int,
    packets: UnsafeRawBufferPointer
  ) {
    guard !isBroken else { return }
    let packet = CapturedPacket(event, available: available, snapLength: snapLength)
    let front = UnsafeMutableRawBufferPointer(start: scratch, count: CapturedPacket.frontLength)
    packet.encodeFront(into: front)
    let descriptors = UnsafeMutableRawBufferPointer(
      start: scratch + front.count, count: packet.descriptors * CapturedPacket.descriptorLength)
    URBCapture.encode(packets, of: event, count: packet.descriptors, into: descriptors)
    let end = UnsafeMutableRawBufferPointer(
      start: scratch + front.count + descriptors.count, count: CapturedPacket.maximumEndLength)
    let endLength = packet.encodeEnd(into: end)
    pieces.removeAll()
    pieces.append(scratch, length: front.count + descriptors.count)
    if packet.dataLength > 0 { pieces.append(data, length: packet.dataLength) }
    pieces.append(scratch + front.count + descriptors.count, length: endLength)
    send()
  }

  private func send() {
    let result = socket.send(pieces)
    if result >= 0 {
      recorded &+= 1
    } else if URBCapture.isShortage(result) {
      dropped &+= 1
    } else {
      isBroken = true
    }
  }

  private func send(_ block: [UInt8]) {
    var block = block
    pieces.removeAll()
    let result = block.withUnsafeMutableBytes { bytes -> Int in
      guard let start = bytes.baseAddress else { return 0 }
      // SAFETY: the bytes live until the call that sends them is over.
      pieces.append(start, length: bytes.count)
      return socket.send(pieces)
    }
    if result < 0, !URBCapture.isShortage(result) { isBroken = true }
  }

  /// True where the kernel has no room now: EAGAIN, ENOBUFS, ENOMEM, EMSGSIZE.
  private static func isShortage(_ result: Int) -> Bool {
    result == StreamSocket.wouldBlock || result == -105 || result == -12 || result == -90
  }

  /// Descriptors as usbmon has them: for data that came in, offsets into what was kept without gaps.
  private static func encode(
    _ packets: UnsafeRawBufferPointer, of event: USBEvent, count: Int,
    into descriptors: UnsafeMutableRawBufferPointer
  ) {
    var end: UInt32 = 0
    for index in 0..<count {
      let packet = IsochronousPacket.decode(packets, index: index)
      let isDone = event.kind == .complete
      CapturedPacket.encodeDescriptor(
        status: isDone ? packet.status : 0,
        offset: isDone && event.isIn ? end : packet.offset,
        length: isDone ? packet.actualLength : packet.length, at: index, into: descriptors)
      end &+= packet.actualLength
    }
  }
}
