// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI
internal import LinuxHost
internal import SessionControl
internal import SystemPackage
internal import USBIPWire
internal import USBModel

/// From the first byte of a connection to its import, or to the answer that ends it.
///
/// All of it happens before one deadline, however slowly the bytes come.
struct OperationPhase {
  /// What an import brings to the URB phase.
  struct Import: ~Copyable {
    /// The device as the agent describes it, under the bus ID that was asked for.
    let device: Device
    /// The claimed usbfs node.
    let node: OwnedDescriptor
    /// Bytes of the URB phase that came along.
    let pipelined: [UInt8]
    /// What to tell the peer; not sent yet.
    let replies: Replies

    consuming func takeNode() -> OwnedDescriptor { node }
  }

  /// The two replies an import may get in the language of its door.
  struct Replies {
    /// Opens the URB phase.
    let success: [UInt8]
    /// Ends the connection: the device cannot be opened after all.
    let failure: [UInt8]
  }

  /// The first byte of a connection.
  private enum Door {
    /// High byte of the version 0x0111 (tools/usb/usbip/src/usbip_network.h).
    static let plain: UInt8 = 0x01
    /// A JSON object: a Varlink call.
    static let agent = UInt8(ascii: "{")
  }

  /// Bytes received with one call.
  private static let pieceLength = 4096
  /// How long the answer to a call that took long may take to get away.
  static let replyDeadline = Duration.seconds(4)

  let deadline: ContinuousClock.Instant

  /// Reads the request and gets the device; throws the end of the session where there is none.
  func run(
    _ connection: borrowing StreamSocket, _ agent: borrowing AgentLink
  ) throws(SessionEnd) -> Import {
    let first = try receive(connection)
    guard let door = first.first else { throw .peerClosed }
    switch door {
    case Door.plain: return try plainDoor(connection, agent, first)
    case Door.agent: return try agentDoor(connection, agent, first)
    default: throw .unknownDoor(door)
    }
  }

  /// Sends `bytes`; throws the end of the session where they do not get away.
  func send(_ bytes: [UInt8], to connection: borrowing StreamSocket) throws(SessionEnd) {
    do throws(HostError) {
      try connection.send(bytes, before: deadline)
    } catch {
      throw OperationPhase.end(of: error)
    }
  }

  private func plainDoor(
    _ connection: borrowing StreamSocket, _ agent: borrowing AgentLink, _ first: [UInt8]
  ) throws(SessionEnd) -> Import {
    var parser = OperationRequestParser()
    let request = try read(connection, first, with: &parser)
    switch request {
    case .deviceList:
      try answer(connection, deviceList(agent))
    case .importUnnameable:
      try answer(connection, OperationReply.failure(.importDevice, .noDevice))
    case .importDevice(let busID):
      let parameters = SessionCalls.AcquireParameters(busID: busID.description)
      let acquired: AgentLink.Acquired
      do throws(AgentError) {
        acquired = try agent.acquire(parameters)
      } catch {
        try answer(connection, OperationReply.failure(.importDevice, error.operationStatus))
        throw .answered
      }
      let device = acquired.device.named(busID)
      return Import(
        device: device, node: acquired.takeNode(), pipelined: parser.remainder,
        replies: Replies(
          success: OperationReply.importReply(device),
          failure: OperationReply.failure(.importDevice, .deviceError)))
    }
    throw .answered
  }

  private func read(
    _ connection: borrowing StreamSocket, _ first: [UInt8],
    with parser: inout OperationRequestParser
  ) throws(SessionEnd) -> OperationRequest {
    var bytes = first
    while true {
      do throws(WireError) {
        try parser.append(bytes)
        if let request = try parser.next() { return request }
      } catch {
        throw .violation(error)
      }
      bytes = try receive(connection)
      guard !bytes.isEmpty else { throw .truncated }
    }
  }

  private func deviceList(_ agent: borrowing AgentLink) -> [UInt8] {
    do throws(AgentError) {
      return OperationReply.deviceList(try agent.exportedDevices())
    } catch {
      return OperationReply.failure(.deviceList, error.operationStatus)
    }
  }

  /// Sends the one reply and lets the peer take it; throws only what goes wrong with that.
  func answer(_ connection: borrowing StreamSocket, _ bytes: [UInt8]) throws(SessionEnd) {
    try send(bytes, to: connection)
    connection.finish(before: deadline)
  }

  /// Some bytes of the peer, none at the end of the stream.
  func receive(_ connection: borrowing StreamSocket) throws(SessionEnd) -> [UInt8] {
    do throws(HostError) {
      return try connection.receive(atMost: OperationPhase.pieceLength, before: deadline)
    } catch {
      throw OperationPhase.end(of: error)
    }
  }

  private static func end(of error: HostError) -> SessionEnd {
    error.code == .timedOut ? .timedOut : .connectionFailed(error.code.rawValue)
  }
}

extension AgentError {
  /// The word of USB/IP 1.1.1 for this error.
  fileprivate var operationStatus: OperationStatus {
    switch kind {
    case .inUse: .busy
    case .unknownDevice: .noDevice
    case .denied, .notPermitted: .notAvailable
    case .failed: .deviceError
    default: .unexpected
    }
  }
}

extension Device {
  /// The same device under the bus ID the peer used: importers compare it byte for byte.
  func named(_ busID: BusID) -> Device {
    var device = self
    device.busID = busID
    return device
  }
}
