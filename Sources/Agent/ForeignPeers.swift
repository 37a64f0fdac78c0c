// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI
internal import Attaching
internal import LinuxHost
internal import Logging
internal import USBModel

/// Asks the exporters that announce nothing for their devices, again and again.
struct ForeignPeers: Sendable {
  /// Between two rounds.
  static let interval = Duration.seconds(10)

  let peers: [Configuration.Peer]
  let sessions: SessionHost
  let catalogue: Catalogue
  let log: Logger

  init(
    peers: [Configuration.Peer], sessions: SessionHost, catalogue: Catalogue, log: Logger
  ) {
    self.peers = peers
    self.sessions = sessions
    self.catalogue = catalogue
    self.log = log
  }

  /// Asks until cancelled; each peer has its own pace, so that a dead one delays nobody.
  func run() async {
    await withDiscardingTaskGroup { group in
      for peer in peers {
        group.addTask {
          var wasReachable: Bool?
          while !Task.isCancelled {
            let isReachable = await ask(peer)
            if isReachable != wasReachable { report(peer, isReachable) }
            wasReachable = isReachable
            try? await Task.sleep(for: ForeignPeers.interval)
          }
        }
      }
    }
  }

  private func report(_ peer: Configuration.Peer, _ isReachable: Bool) {
    let metadata: Logger.Metadata = ["peer.host": "\(peer.host)", "peer.port": "\(peer.port)"]
    if isReachable {
      log.info("a configured exporter answers", metadata: metadata)
    } else {
      log.warning("a configured exporter does not answer, asking on", metadata: metadata)
    }
  }

  private func ask(_ peer: Configuration.Peer) async -> Bool {
    let prefix = "peer \(peer.host):\(peer.port) "
    let addresses = await BlockingWork.run("look-up") {
      HostLookup.addresses(of: peer.host, port: peer.port)
    }
    let exporter = Exporter(
      host: peer.host, addresses: addresses.map(\.host), port: peer.port, agent: nil)
    do throws(AgentError) {
      let devices = try await sessions.listDevices(of: exporter).map { device in
        ForeignPeers.remote(device, exporter)
      }
      await catalogue.replace(
        prefix: prefix, devices: devices, missing: "\(peer.host) does not list it now")
      return true
    } catch {
      await catalogue.replace(
        prefix: prefix, devices: [], missing: "\(peer.host) does not answer")
      return false
    }
  }

  /// A plain peer says nothing of names and serials: vendor, product and place have to do.
  private static func remote(_ device: Device, _ exporter: Exporter) -> RemoteDevice {
    RemoteDevice(
      key: LocalKeys.key(agent: "\(exporter.host):\(exporter.port)", identity: device.identity),
      exporter: exporter, busID: device.busID.description, name: device.name,
      vendorID: VendorProduct.hex(device.vendorProduct.vendor),
      productID: VendorProduct.hex(device.vendorProduct.product), state: .available)
  }
}
