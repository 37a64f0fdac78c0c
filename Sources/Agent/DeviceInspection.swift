// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI
internal import Attaching
private import Glibc
internal import LinuxHost
internal import Logging
internal import USBModel

/// Answers what devices do: asks the sessions of those in use, and says where others are attached.
struct DeviceInspection: Sendable {
  let catalogue: Catalogue
  let attachments: Attachments<KernelAttachDoor>
  let exports: LiveExports
  let sequences: SequenceWatch
  /// This machine's host name.
  let host: String
  let log: Logger

  /// All devices of this machine and all that are attached to it, without single endpoints; or the
  /// one that `selector` names.
  ///
  /// Throws `AgentError`: as `Catalogue.find`. A session that does not answer is told in the report.
  func reports(_ selector: String?) async throws(AgentError) -> [DeviceReport] {
    if let selector {
      switch try await catalogue.find(selector) {
      case .local(let status): return [await local(status)]
      case .remote(let status, let device): return [await remote(status, device.key)]
      }
    }
    let targets = await catalogue.targets()
    return await withTaskGroup(of: DeviceReport?.self) { group in
      for target in targets {
        group.addTask { await overview(target) }
      }
      var reports: [DeviceReport] = []
      for await report in group {
        if let report { reports.append(report) }
      }
      return reports.sorted { $0.device.id < $1.device.id }
    }
  }

  /// One device of the overview; `nil` for one that is neither here nor attached.
  private func overview(_ target: Catalogue.Target) async -> DeviceReport? {
    switch target {
    case .local(let status):
      // What an attached device looks like here is shown as the device itself.
      guard status.isImported != true else { return nil }
      var report = await local(status)
      report.traffic?.endpoints = []
      return report
    case .remote(let status, let device):
      guard status.localState != .detached else { return nil }
      return await remote(status, device.key)
    }
  }

  private func local(_ status: DeviceStatus) async -> DeviceReport {
    var report = DeviceReport(device: status)
    guard let busID = BusID(status.busID), let line = await exports.line(busID) else {
      report.note = status.isImported == true ? DeviceInspection.counted(elsewhere: nil) : nil
      return report
    }
    let age = line.since.duration(to: .now).components.seconds
    report.since = time(nil) - Int(age)
    do throws(AgentError) {
      report.traffic = Traffic(try await line.statistics())
    } catch {
      report.note = error.message
    }
    return report
  }

  private func remote(_ status: DeviceStatus, _ key: String) async -> DeviceReport {
    var report = DeviceReport(device: status)
    guard let attachment = await attachments.attachment(key) else { return report }
    report.attachment = DeviceReport.Attachment(
      port: attachment.port, localBusID: attachment.localBusID?.description)
    report.note = DeviceInspection.counted(elsewhere: status.host)
    if let port = attachment.port, await sequences.state(port: port) == .ending {
      report.note = """
        its controller runs out of sequence numbers, and the kernel loses it then: \
        devconfig down \(status.id) and devconfig up \(status.id) moves it
        """
    }
    return report
  }

  private static func counted(elsewhere host: String?) -> String {
    guard let host else { return "its traffic is counted by the machine it is plugged into" }
    return "its traffic goes from kernel to kernel here; \(host) counts it"
  }

  /// Starts a capture of the device `selector` names for `peer`, who may use devices; the result is
  /// where the capture comes out.
  ///
  /// Throws `AgentError`: as `Catalogue.find`; `notPermitted` for a device that somebody else uses;
  /// `inUse` where a capture is running; `failed` where there is nothing to capture here.
  func capture(
    _ parameters: AgentCalls.CaptureParameters, for peer: PeerCredentials
  ) async throws(AgentError) -> SharedDescriptor {
    let (status, line) = try await captured(parameters.device)
    let user = await peer.userName()
    // What goes by may be passwords somebody types. That user is a claim of the importer; it could
    // only give away what that user does.
    guard peer.uid == 0 || status.remoteUser == RemoteUser(user: user, host: host) else {
      throw AgentError(
        .notPermitted, "\(status.name) is used by \(status.remoteUser): only root may record that",
        hint: "as root: devconfig capture \(status.id) FILE.pcapng")
    }
    let wanted = parameters.snapLength ?? AgentCalls.defaultSnapLength
    guard (0...AgentCalls.maximumSnapLength).contains(wanted) else {
      throw AgentError(
        .failed, "a snap length is 0 to \(AgentCalls.maximumSnapLength) bytes")
    }
    let sockets: CaptureSockets
    do throws(HostError) {
      sockets = try CaptureSockets()
    } catch {
      throw AgentError(.failed, "a capture cannot be started (\(error))")
    }
    _ = try await line.ask(
      SessionCalls.capture, SessionCalls.CaptureParameters(snapLength: wanted), Nothing.self,
      descriptors: [sockets.writer])
    log.notice(
      "a capture of a device starts",
      metadata: [
        "device.busid": "\(status.busID)", "device.name": "\(status.name)",
        "remote.user": "\(status.remoteUser)", "peer.uid": "\(peer.uid)", "peer.user": "\(user)",
      ])
    return sockets.reader
  }

  private func captured(
    _ selector: String
  ) async throws(AgentError) -> (status: DeviceStatus, line: SessionLine) {
    switch try await catalogue.find(selector) {
    case .local(let status):
      if let busID = BusID(status.busID), let line = await exports.line(busID) {
        return (status, line)
      }
      throw AgentError(
        .failed, "nobody uses \(status.name) over the network: there is nothing to capture",
        hint: "what this machine itself does with it, usbmon shows: modprobe usbmon; tcpdump -D")
    case .remote(let status, _):
      throw AgentError(
        .failed, "\(status.name) is captured where it is plugged in, on \(status.host)",
        hint:
          "on \(status.host), as root: devconfig capture \(status.busID)@\(status.host) FILE.pcapng"
      )
    }
  }
}
