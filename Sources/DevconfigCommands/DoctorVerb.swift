// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI
internal import ArgumentParser
internal import LinuxHost

/// `devconfig doctor`: what on this machine is in the way, and what mends it.
struct DoctorVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor", abstract: "Say what is in the way on this machine, and what mends it.",
    discussion: "Changes nothing. As root it sees more. Ends with 1 where something does not work.")

  /// The most exporters that are tried.
  private static let maximumPeers = 16

  @Flag(help: "Print JSON for programs (schema \(Schema.doctor)).")
  var json = false

  func run() throws {
    var console: any Console = StandardConsole()
    var client: (any AgentClient)?
    var absence: String?
    do throws(AgentAbsence) {
      client = try SocketAgentClient(path: Verb.socketPath)
    } catch {
      absence = error.message
    }
    guard try examine(&client, absence, &console) == .success else {
      throw ArgumentParser.ExitCode(AgentAPI.ExitCode.failure.rawValue)
    }
  }

  /// The verb itself; `absence` says why there is no agent.
  func examine(
    _ client: inout (any AgentClient)?, _ absence: String?, _ console: inout any Console,
    survey: (UInt16) -> HostSurvey = { HostSurvey(port: $0) }
  ) throws -> AgentAPI.ExitCode {
    var failure = absence
    var status: AgentCalls.StatusResults?
    var devices: [DeviceStatus] = []
    if client != nil {
      do throws(AgentError) {
        devices = try client?.list() ?? []
        // Only members of the group may see it; others see less.
        status = try? client?.status(nil)
      } catch {
        failure = error.message
      }
    }
    let port = devices.first { $0.isLocal }?.port ?? Product.port
    let examination = Examination(
      survey: survey(port), agentFailure: failure, status: status, port: port,
      peers: DoctorVerb.peers(of: devices))
    let findings = examination.findings
    if json {
      console.data(try DoctorJSON.text(findings))
    } else {
      for line in findings.flatMap(\.lines) { console.data(line) }
    }
    return findings.contains { $0.rank == .trouble } ? .failure : .success
  }

  /// Tries each exporter that has something listed, once.
  private static func peers(of devices: [DeviceStatus]) -> [Examination.Peer] {
    var tried: Set<String> = []
    var peers: [Examination.Peer] = []
    for device in devices where !device.isLocal && !device.address.isEmpty {
      guard peers.count < maximumPeers, tried.insert("\(device.address) \(device.port)").inserted,
        let address = NetworkAddress(numeric: device.address, port: device.port)
      else { continue }
      var peer = Examination.Peer(host: device.host, address: device.address, port: device.port)
      do throws(HostError) {
        let time = try RoundTrip.measure(address)
        peer.time =
          Double(time.components.seconds) * 1000 + Double(time.components.attoseconds) / 1e15
      } catch {
        peer.failure = "\(error.code)"
      }
      peers.append(peer)
    }
    return peers
  }
}
