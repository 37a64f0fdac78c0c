// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI
internal import LinuxHost
internal import SystemPackage
internal import USBModel

/// What both doors need of one exchange with an exporter: its deadline, and the words for failures.
struct Exchange {
  /// The exporter in numbers, for messages.
  let peer: String
  /// When an exporter that does not answer is given up.
  let deadline: ContinuousClock.Instant

  /// Sends a request.
  func send(_ bytes: [UInt8], _ connection: borrowing StreamSocket) throws(AgentError) {
    do throws(HostError) {
      try connection.send(bytes, before: deadline)
    } catch {
      throw failure(error)
    }
  }

  /// Receives at least one byte, `limit` at most; with `leaving` they can be received again.
  func receive(
    atMost limit: Int, leaving: Bool = false, _ connection: borrowing StreamSocket
  ) throws(AgentError) -> [UInt8] {
    let bytes: [UInt8]
    do throws(HostError) {
      bytes = try connection.receive(atMost: limit, leaving: leaving, before: deadline)
    } catch {
      throw failure(error)
    }
    guard !bytes.isEmpty else {
      throw AgentError(.protocolMismatch, "\(peer) closed the connection without a whole reply")
    }
    return bytes
  }

  /// The words for a call that the operating system refused.
  func failure(_ error: HostError) -> AgentError {
    error.code == .timedOut
      ? AgentError(.timedOut, "\(peer) does not answer in time")
      : AgentError(.unreachable, "the connection to \(peer) broke: \(error.code)")
  }

  /// The words for a reply that is none.
  var mismatch: AgentError {
    AgentError(.protocolMismatch, "\(peer) does not speak a version of USB/IP known here")
  }

  /// Throws where the exporter handed over something else, or numbers that name nothing.
  func check(_ device: Device, is busID: BusID) throws(AgentError) {
    guard device.busID == busID else {
      throw AgentError(.protocolMismatch, "\(peer) handed over \(device.busID) instead of \(busID)")
    }
    // Each is half of the number that names the device in every URB.
    guard device.busNumber <= 0xFFFF, device.deviceNumber <= 0xFFFF else {
      throw AgentError(.protocolMismatch, "\(peer) handed over a device with impossible numbers")
    }
  }
}
