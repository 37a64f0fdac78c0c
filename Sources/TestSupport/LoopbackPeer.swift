// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import Glibc
public import LinuxHost
internal import SystemPackage
public import USBIPWire

/// A USB/IP importer that a test drives step by step over one end of a connection.
///
/// All waits end after `LoopbackPeer.patience`, then the call throws and the test fails.
public struct LoopbackPeer: ~Copyable {
  /// How long one step may take.
  public static let patience = Duration.seconds(20)

  /// A reply with the data that came behind it.
  public struct Answer: Hashable, Sendable {
    /// Header.
    public var reply: URBReply
    /// Data of an IN transfer.
    public var data: [UInt8]
    /// Packets of an isochronous transfer.
    public var packets: [IsochronousPacket] = []

    /// Takes both.
    public init(reply: URBReply, data: [UInt8] = [], packets: [IsochronousPacket] = []) {
      self.reply = reply
      self.data = data
      self.packets = packets
    }
  }

  /// What went wrong on this side.
  public enum Failure: Error, Equatable {
    /// The session closed the connection.
    case closed
    /// Nothing came in time, or the connection broke; errno.
    case broken(Int32)
    /// The session sent no USB/IP.
    case malformed(WireError)
  }

  /// The number of the device in every URB.
  public var devid: UInt32
  private let socket: StreamSocket
  private var directions: [UInt32: Bool] = [:]
  private var isochronous: Set<UInt32> = []

  /// Takes over one end of a connection.
  public init(_ descriptor: consuming OwnedDescriptor, devid: UInt32) {
    socket = StreamSocket(descriptor)
    self.devid = devid
  }

  /// The number, for socket options.
  public var rawValue: Int32 { socket.rawValue }

  /// Sends bytes as they are.
  public borrowing func send(_ bytes: [UInt8]) throws(Failure) {
    do throws(HostError) {
      try socket.send(bytes, before: .now + LoopbackPeer.patience)
    } catch {
      throw .broken(error.code.rawValue)
    }
  }

  /// Sends bytes one by one, each in a packet of its own as far as the socket lets it be.
  public borrowing func trickle(_ bytes: [UInt8]) throws(Failure) {
    for byte in bytes { try send([byte]) }
  }

  /// Receives exactly `count` bytes.
  public borrowing func receive(_ count: Int) throws(Failure) -> [UInt8] {
    var bytes: [UInt8] = []
    while bytes.count < count {
      let more: [UInt8]
      do throws(HostError) {
        more = try socket.receive(
          atMost: count - bytes.count, before: .now + LoopbackPeer.patience)
      } catch {
        throw .broken(error.code.rawValue)
      }
      guard !more.isEmpty else { throw .closed }
      bytes += more
    }
    return bytes
  }

  /// Everything up to the end of the connection; a reset counts as the end.
  public borrowing func receiveAll() throws(Failure) -> [UInt8] {
    var bytes: [UInt8] = []
    while true {
      do throws(HostError) {
        let more = try socket.receive(atMost: 65_536, before: .now + LoopbackPeer.patience)
        if more.isEmpty { return bytes }
        bytes += more
      } catch {
        guard error.code == .connectionReset else { throw .broken(error.code.rawValue) }
        return bytes
      }
    }
  }

  /// Ends the connection both ways.
  public borrowing func finish() { socket.shutDown() }

  /// Lets the connection end with a reset (RST) instead of a FIN when this peer is gone (socket(7)).
  public borrowing func resetWhenClosed() {
    var option = linger(l_onoff: 1, l_linger: 0)
    _ = setsockopt(
      socket.rawValue, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout.size(ofValue: option))
    )
  }

  /// Tells the session that nothing more comes; its replies still do.
  public borrowing func finishSending() { _ = shutdown(socket.rawValue, Int32(SHUT_WR)) }

  /// Does nothing for a while, as a slow peer does: the subject of a test, never its way to wait.
  public borrowing func pause(milliseconds: Int32) throws(Failure) {
    _ = poll(nil, 0, milliseconds)
  }

  /// The header and payload of a submit, to be sent by `send`; remembers its direction.
  public mutating func encoded(_ submit: Submit, payload: [UInt8] = []) -> [UInt8] {
    directions[submit.seqnum] = submit.isIn
    var bytes = [UInt8](repeating: 0, count: URBCommand.headerLength)
    bytes.withUnsafeMutableBytes { submit.encode(into: $0) }
    return bytes + payload
  }

  /// The header, payload and descriptors of an isochronous submit.
  public mutating func encoded(
    _ submit: Submit, payload: [UInt8] = [], packets: [IsochronousPacket]
  ) -> [UInt8] {
    isochronous.insert(submit.seqnum)
    var bytes = [UInt8](repeating: 0, count: packets.count * IsochronousPacket.size)
    bytes.withUnsafeMutableBytes { array in
      for (index, packet) in packets.enumerated() { packet.encode(into: array, index: index) }
    }
    return encoded(submit, payload: payload) + bytes
  }

  /// The header of an unlink.
  public borrowing func encoded(_ unlink: Unlink) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: URBCommand.headerLength)
    bytes.withUnsafeMutableBytes { unlink.encode(into: $0) }
    return bytes
  }

  /// Receives one reply and its data.
  public mutating func answer() throws(Failure) -> Answer {
    let header = try receive(URBCommand.headerLength)
    let reply: URBReply
    do throws(WireError) {
      reply = try header.span.withUnsafeBytes { bytes throws(WireError) in
        try URBReply.decode(bytes)
      }
    } catch {
      throw .malformed(error)
    }
    guard case .submit(let submit) = reply else { return Answer(reply: reply) }
    var answer = Answer(reply: reply)
    if directions.removeValue(forKey: submit.seqnum) == true {
      answer.data = try receive(Int(submit.actualLength))
    }
    if isochronous.remove(submit.seqnum) != nil {
      let bytes = try receive(Int(submit.packets) * IsochronousPacket.size)
      bytes.withUnsafeBytes { array in
        answer.packets = (0..<Int(submit.packets)).map { .decode(array, index: $0) }
      }
    }
    return answer
  }
}
