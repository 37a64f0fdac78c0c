// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

public import USBModel

/// What an exporter does with a submit, given the endpoints of the device.
public enum SubmitDisposition: Sendable, Hashable {
  /// Carry it out. An isochronous one has `packets` descriptors behind its payload.
  case transfer(TransferType)
  /// Read the payload, forget it, and answer with this status and no data.
  case answer(status: Int32)
}

extension Submit {
  /// Judges the submit by the endpoints the device has now.
  ///
  /// Does not allocate.
  ///
  /// Throws where the message cannot be framed any more: `ambiguousFraming`,
  /// `packetCountOutOfRange`.
  public func disposition(in endpoints: borrowing EndpointTable) throws(WireError)
    -> SubmitDisposition
  {
    guard let type = endpoints.type(endpoint: endpoint, isIn: isIn) else {
      guard packets <= 0 else { throw .ambiguousFraming(endpoint: endpoint) }
      return .answer(status: URBStatus.noEntry)
    }
    switch type {
    case .isochronous:
      guard (0...Int32(WireLimits.maximumPackets)).contains(packets) else {
        throw .packetCountOutOfRange(packets)
      }
      // Bluetooth drivers send such URBs; there is nothing to do, and usbfs takes none.
      return packets == 0 ? .answer(status: URBStatus.success) : .transfer(.isochronous)
    case .control:
      let contradicts = setup.length > 0 && setup.isIn != isIn
      return contradicts || Int(setup.length) > length
        ? .answer(status: URBStatus.stall) : .transfer(.control)
    case .bulk, .interrupt:
      return .transfer(type)
    }
  }
}
