// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI
internal import LinuxHost
internal import SessionControl
internal import USBModel

/// The door of our own agents: one Varlink call with `upgrade`.
enum AgentDoor {
  /// Bytes looked at with one call.
  private static let pieceLength = 4096

  /// Imports a device; not one byte behind the reply is read.
  static func importDevice(
    _ parameters: ExporterCalls.ImportParameters, _ exchange: Exchange,
    _ connection: borrowing StreamSocket
  ) throws(AgentError) -> Device {
    let call = Call(ExporterCalls.importDevice, parameters, upgrade: true)
    try exchange.send(Message.encode(call), connection)
    let message = try readReply(exchange, connection)
    do throws(AgentError) {
      return try Message.decodeReply(ExporterCalls.ImportResults.self, from: message)
        .parameters.device
    } catch {
      throw bounded(error, exchange)
    }
  }

  /// Asks for a device of this machine; returns when it was given back.
  static func takeBack(
    _ parameters: ImporterCalls.GiveBackParameters, _ exchange: Exchange,
    _ connection: borrowing StreamSocket
  ) throws(AgentError) -> ImporterCalls.GiveBackResults {
    try exchange.send(Message.encode(Call(ImporterCalls.giveBack, parameters)), connection)
    let message = try readReply(exchange, connection)
    do throws(AgentError) {
      return try Message.decodeReply(ImporterCalls.GiveBackResults.self, from: message).parameters
    } catch {
      throw bounded(error, exchange)
    }
  }

  /// Reads up to the NUL and nothing behind it: looks first, then takes as much as is the reply's.
  private static func readReply(
    _ exchange: Exchange, _ connection: borrowing StreamSocket
  ) throws(AgentError) -> [UInt8] {
    var framer = MessageFramer()
    while true {
      let seen = try exchange.receive(atMost: pieceLength, leaving: true, connection)
      let length = seen.firstIndex(of: 0).map { $0 + 1 } ?? seen.count
      try framer.append(try exchange.receive(atMost: length, connection))
      if let message = try framer.next() { return message }
    }
  }

  /// The peer's words, made fit to be shown; candidates and hints are not for this machine.
  private static func bounded(_ error: AgentError, _ exchange: Exchange) -> AgentError {
    guard error.kind != .protocolMismatch else { return exchange.mismatch }
    let words = PeerText.sentence(error.message) ?? "no reason given"
    return AgentError(error.kind, words)
  }
}
