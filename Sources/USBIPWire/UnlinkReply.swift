// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// RET_UNLINK: what came of an unlink.
public struct UnlinkReply: Sendable, Hashable {
  /// The seqnum of the unlink, not of the submit.
  public var seqnum: UInt32
  /// `URBStatus.connectionReset` when the unlink won, 0 when the submit was answered before.
  public var status: Int32

  /// Takes both parts.
  public init(seqnum: UInt32, status: Int32) {
    self.seqnum = seqnum
    self.status = status
  }

  /// Writes the 48 bytes of the header to the front of `buffer`.
  ///
  /// Does not allocate.
  public func encode(into buffer: UnsafeMutableRawBufferPointer) {
    precondition(buffer.count >= URBHeader.length, "no room for a URB header")
    buffer.store(URBHeader.unlinkReply, at: 0)
    buffer.store(seqnum, at: 4)
    buffer.clear(from: 8, to: 20)
    buffer.store(status, at: 20)
    buffer.clear(from: 24, to: URBHeader.length)
  }
}
