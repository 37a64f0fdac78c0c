// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

public import USBIPWire
public import USBModel

/// The requests tests use again and again.
extension LoopbackPeer {
  /// Sends a bulk or interrupt OUT.
  public mutating func submitOut(
    _ seqnum: UInt32, _ endpoint: UInt8, _ payload: [UInt8], flags: TransferFlags = []
  ) throws(Failure) {
    let submit = Submit(
      seqnum: seqnum, devid: devid, isIn: false, endpoint: endpoint, flags: flags,
      length: payload.count)
    try send(encoded(submit, payload: payload))
  }

  /// Sends a bulk or interrupt IN.
  public mutating func submitIn(
    _ seqnum: UInt32, _ endpoint: UInt8, length: Int, flags: TransferFlags = []
  ) throws(Failure) {
    let submit = Submit(
      seqnum: seqnum, devid: devid, isIn: true, endpoint: endpoint, flags: flags, length: length)
    try send(encoded(submit))
  }

  /// Sends a control transfer; its direction is the setup packet's.
  public mutating func submitControl(
    _ seqnum: UInt32, _ setup: SetupPacket, payload: [UInt8] = []
  ) throws(Failure) {
    let submit = Submit(
      seqnum: seqnum, devid: devid, isIn: setup.isIn, endpoint: 0, length: Int(setup.length),
      setup: setup)
    try send(encoded(submit, payload: payload))
  }

  /// Sends an unlink.
  public borrowing func unlink(_ seqnum: UInt32, target: UInt32) throws(Failure) {
    try send(encoded(Unlink(seqnum: seqnum, devid: devid, target: target)))
  }
}

extension LoopbackPeer.Answer {
  /// A RET_SUBMIT without data.
  public static func submit(
    _ seqnum: UInt32, _ status: Int32, _ actualLength: Int32 = 0, _ data: [UInt8] = []
  ) -> LoopbackPeer.Answer {
    LoopbackPeer.Answer(
      reply: .submit(SubmitReply(seqnum: seqnum, status: status, actualLength: actualLength)),
      data: data)
  }

  /// A RET_UNLINK.
  public static func unlink(_ seqnum: UInt32, _ status: Int32) -> LoopbackPeer.Answer {
    LoopbackPeer.Answer(
      reply: .unlink(UnlinkReply(seqnum: seqnum, status: status)), data: [])
  }
}
