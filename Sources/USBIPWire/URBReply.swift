// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// What an exporter sends in the URB phase, as an importer reads it.
public enum URBReply: Sendable, Hashable {
  case submit(SubmitReply)
  case unlink(UnlinkReply)

  /// Reads one header of 48 bytes; throws `unknownCommand`.
  ///
  /// Does not allocate.
  ///
  /// The values are as they came: an importer checks them against what it asked for.
  public static func decode(_ header: UnsafeRawBufferPointer) throws(WireError) -> URBReply {
    precondition(header.count >= URBHeader.length, "no whole URB header")
    let seqnum = header.doubleWord(at: 4)
    let status = header.signedDoubleWord(at: 20)
    switch header.doubleWord(at: 0) {
    case URBHeader.submitReply:
      return .submit(
        SubmitReply(
          seqnum: seqnum, status: status, actualLength: header.signedDoubleWord(at: 24),
          startFrame: header.signedDoubleWord(at: 28), packets: header.signedDoubleWord(at: 32),
          errorCount: header.signedDoubleWord(at: 36)))
    case URBHeader.unlinkReply:
      return .unlink(UnlinkReply(seqnum: seqnum, status: status))
    case let command:
      throw .unknownCommand(command)
    }
  }
}
