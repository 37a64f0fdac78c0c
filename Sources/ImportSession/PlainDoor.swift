// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI
internal import LinuxHost
internal import USBIPWire
internal import USBModel

/// USB/IP 1.1.1, for exporters that are not our own agents.
enum PlainDoor {
  /// Bytes received with one call.
  private static let pieceLength = 16 * 1024

  /// Imports a device; not one byte behind the reply is read.
  static func importDevice(
    _ busID: BusID, _ exchange: Exchange, _ connection: borrowing StreamSocket
  ) throws(AgentError) -> Device {
    try exchange.send(OperationRequestEncoder.importDevice(busID), connection)
    switch try reply(.importDevice, exchange, connection) {
    case .imported(let device): return device
    case .refused(let status): throw refusal(status, busID, exchange)
    case .deviceList: throw exchange.mismatch
    }
  }

  /// Asks for the device list.
  static func listDevices(
    _ exchange: Exchange, _ connection: borrowing StreamSocket
  ) throws(AgentError) -> [Device] {
    try exchange.send(OperationRequestEncoder.deviceList(), connection)
    switch try reply(.deviceList, exchange, connection) {
    case .deviceList(let devices): return devices
    case .refused, .imported:
      throw AgentError(.failed, "\(exchange.peer) does not tell which devices it exports")
    }
  }

  private static func reply(
    _ code: OperationCode, _ exchange: Exchange, _ connection: borrowing StreamSocket
  ) throws(AgentError) -> OperationReplyParser.Parsed {
    var parser = OperationReplyParser(expecting: code)
    while true {
      // Exactly what is missing: what follows an import belongs to the kernel's driver.
      let missing = min(parser.missingBytes, pieceLength)
      guard missing > 0 else { throw exchange.mismatch }
      parser.append(try exchange.receive(atMost: missing, connection))
      do throws(WireError) {
        if let parsed = try parser.next() { return parsed }
      } catch {
        throw exchange.mismatch
      }
    }
  }

  private static func refusal(
    _ status: OperationStatus, _ busID: BusID, _ exchange: Exchange
  ) -> AgentError {
    switch status {
    case .busy:
      AgentError(.inUse, "\(busID) at \(exchange.peer) is in use")
    case .noDevice:
      AgentError(.unknownDevice, "\(exchange.peer) exports no device \(busID)")
    case .notAvailable:
      AgentError(.denied, "\(exchange.peer) does not hand over \(busID)")
    case .deviceError:
      AgentError(.failed, "\(busID) at \(exchange.peer) is in an error state")
    case .ok, .unexpected:
      AgentError(.protocolMismatch, "\(exchange.peer) did not understand the request")
    }
  }
}
