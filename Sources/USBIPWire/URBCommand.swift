// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import USBModel

/// What a client sends in the URB phase.
public enum URBCommand: Sendable, Hashable {
  case submit(Submit)
  case unlink(Unlink)

  /// Bytes of every header in the URB phase.
  public static let headerLength = URBHeader.length

  /// Reads one header of 48 bytes of the client that imported the device `devid`.
  ///
  /// Throws only for what must end the connection: `unknownCommand`, `deviceMismatch`, and for a
  /// submit `endpointOutOfRange`, `directionOutOfRange`, `lengthOutOfRange`. What takes the
  /// endpoints to judge is left to `Submit.disposition`. Does not allocate.
  public static func decode(
    _ header: UnsafeRawBufferPointer, devid: UInt32
  ) throws(WireError) -> URBCommand {
    precondition(header.count >= headerLength, "no whole URB header")
    let command = header.doubleWord(at: 0)
    guard command == URBHeader.submit || command == URBHeader.unlink else {
      throw .unknownCommand(command)
    }
    let found = header.doubleWord(at: 8)
    guard found == devid else { throw .deviceMismatch(expected: devid, found: found) }
    guard command == URBHeader.submit else {
      return .unlink(
        Unlink(seqnum: header.doubleWord(at: 4), devid: found, target: header.doubleWord(at: 20)))
    }
    return .submit(try submit(header, devid: found))
  }

  private static func submit(
    _ header: UnsafeRawBufferPointer, devid: UInt32
  ) throws(WireError) -> Submit {
    let direction = header.doubleWord(at: 12)
    guard direction == URBHeader.directionOut || direction == URBHeader.directionIn else {
      throw .directionOutOfRange(direction)
    }
    let endpoint = header.doubleWord(at: 16)
    guard endpoint <= 15 else { throw .endpointOutOfRange(endpoint) }
    let length = header.signedDoubleWord(at: 24)
    guard length >= 0, Int(length) <= WireLimits.maximumTransferLength else {
      throw .lengthOutOfRange(length)
    }
    // SAFETY: 40..<48 lies within the count that decode checked.
    guard let setup = SetupPacket(bytes: UnsafeRawBufferPointer(rebasing: header[40..<48])) else {
      preconditionFailure("eight bytes are a setup packet")
    }
    return Submit(
      seqnum: header.doubleWord(at: 4), devid: devid, isIn: direction == URBHeader.directionIn,
      endpoint: UInt8(truncatingIfNeeded: endpoint),
      flags: TransferFlags(wire: header.doubleWord(at: 20)), length: Int(length),
      startFrame: header.signedDoubleWord(at: 28), packets: header.signedDoubleWord(at: 32),
      interval: header.signedDoubleWord(at: 36), setup: setup)
  }
}
