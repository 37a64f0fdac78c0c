// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// What a peer sent that ends the connection.
public enum WireError: Error, Sendable, Hashable {
  /// Another protocol version than 0x0111.
  case unsupportedVersion(UInt16)
  /// An operation code that is no request of ours, or another reply than the one asked for.
  case unexpectedOperation(UInt16)
  /// A request whose status is not 0.
  case requestStatus(UInt32)
  /// More bytes behind the request than a client may pipeline.
  case pipelinedTooMuch(count: Int)
  /// A device list longer than `WireLimits.maximumListedDevices`.
  case tooManyDevices(UInt32)
  /// The device of an import reply has a bus ID that is none.
  case unnameableDevice
  /// The device of an import reply has a speed code that is none.
  case unknownSpeed(UInt32)
  /// A command that a client cannot send, or a reply that an exporter cannot send.
  case unknownCommand(UInt32)
  /// A command for another device than the imported one.
  case deviceMismatch(expected: UInt32, found: UInt32)
  /// An endpoint number above 15.
  case endpointOutOfRange(UInt32)
  /// A direction that is neither 0 nor 1.
  case directionOutOfRange(UInt32)
  /// A transfer length below 0 or above `WireLimits.maximumTransferLength`.
  case lengthOutOfRange(Int32)
  /// A packet count below 0 or above `WireLimits.maximumPackets` for an isochronous endpoint.
  case packetCountOutOfRange(Int32)
  /// Packets for an endpoint that does not exist: nobody can tell where the message ends.
  case ambiguousFraming(endpoint: UInt8)
  /// A sequence number that an unanswered submit has already.
  case duplicateSequenceNumber(UInt32)
  /// A submit beyond the capacity of the ledger, from a session that went on reading.
  case tooManyOutstanding
  /// An unlink beyond `WireLimits.maximumRepeatedUnlinks`, from a session that went on reading.
  case tooManyUnlinks
}
