// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import TestSupport

@testable import DevconfigCommands

/// Devices and reports of which no member is left out.
enum GoldenSamples {
  /// A device with everything a device can have, whether that goes together or not.
  static let device: DeviceStatus = {
    var device = DeviceSamples.opticalStatus
    device.deviceName = "IO-DATA DEVICE,INC. Optical Storage"
    device.name = "Brenner"
    device.reason = "next try in 4 s: alpha does not answer"
    device.rule = "rule 2, line 14"
    device.isKept = true
    device.nextTry = 4
    device.standsInFor = 7
    device.isImported = true
    return device
  }()

  /// A report of it with two endpoints and a capture.
  static let report: DeviceReport = {
    var read = EndpointCounters(address: 0x81, transfer: .bulk)
    read.submitted = 1001
    read.completed = 1000
    read.bytes = 64 << 20
    read.stalls = 1
    read.protocolErrors = 2
    read.overflows = 3
    read.cancelled = 4
    read.otherErrors = 5
    read.outstanding = 1
    read.maximumOutstanding = 4
    read.latency = [0, 980, 20]
    read.waiting = 12_340_000
    read.isOverdue = true
    read.overdue = 1
    var control = EndpointCounters(address: 0x80, transfer: .control)
    control.waiting = 1
    control.latency = [12]
    return DeviceReport(
      device: device, since: 1_795_500_428,
      attachment: DeviceReport.Attachment(port: 8, localBusID: "9-1"),
      traffic: Traffic(
        SessionStatistics(
          elapsed: 200_000_000, refused: 3, unlinks: 4, endpoints: [control, read],
          capture: SessionStatistics.Capture(recorded: 5, dropped: 6))),
      note: "its session does not answer")
  }()

  /// All of status.
  static let status = AgentCalls.StatusResults(
    devices: [report], mistake: "/etc/devconfig/devconfig.yaml: line 3: port: a number is needed",
    controllers: [
      ControllerReport(controller: 2, isSuperSpeed: true, used: 1_717_986_918, state: .ending)
    ])

  /// Each rank, with and without a command.
  static let findings = [
    Finding(.good, "avahi", "avahi-daemon runs"),
    Finding(.notice, "usbfs", "all transfers together may take 16 MiB", mend: "echo 256 > /sys/x"),
    Finding(.trouble, "devconfigd", "the agent does not run", mend: "systemctl start devconfigd"),
  ]

  /// An error with all that one can have.
  static let error = AgentError(
    .ambiguousDevice, "Brenner names 2 devices", hint: "name one of them by its ID",
    candidates: [device])
}
