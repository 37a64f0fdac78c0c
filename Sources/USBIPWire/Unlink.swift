// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// CMD_UNLINK: give up this submit, if it is not done yet.
public struct Unlink: Sendable, Hashable {
  /// Names this request in its own reply.
  public var seqnum: UInt32
  /// The device, as in `Device.devid`.
  public var devid: UInt32
  /// The seqnum of the submit.
  public var target: UInt32

  /// Takes the three parts.
  public init(seqnum: UInt32, devid: UInt32, target: UInt32) {
    self.seqnum = seqnum
    self.devid = devid
    self.target = target
  }

  /// Writes the 48 bytes an importer sends.
  ///
  /// Does not allocate.
  public func encode(into buffer: UnsafeMutableRawBufferPointer) {
    precondition(buffer.count >= URBHeader.length, "no room for a URB header")
    buffer.store(URBHeader.unlink, at: 0)
    buffer.store(seqnum, at: 4)
    buffer.store(devid, at: 8)
    buffer.clear(from: 12, to: 20)
    buffer.store(target, at: 20)
    buffer.clear(from: 24, to: URBHeader.length)
  }
}
