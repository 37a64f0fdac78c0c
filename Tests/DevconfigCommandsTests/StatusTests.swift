// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import TestSupport
import Testing

@testable import DevconfigCommands

/// The text of `devconfig status`, to the letter.
@Suite struct StatusTests {
  /// A disk of this machine that taka@gamma uses: it answers no more.
  static let exported: DeviceReport = {
    var device = DeviceSamples.mountedStatus
    device.remoteState = .inUse
    device.remoteUser = RemoteUser(user: "taka", host: "gamma")
    device.reason = nil
    var control = EndpointCounters(address: 0x80, transfer: .control)
    control.completed = 12
    control.bytes = 300
    control.stalls = 1
    control.maximumOutstanding = 1
    control.latency = [0, 0, 0, 0, 0, 0, 0, 0, 12]
    var read = EndpointCounters(address: 0x81, transfer: .bulk)
    read.completed = 1000
    read.bytes = 64 << 20
    read.outstanding = 1
    read.maximumOutstanding = 4
    read.latency = [UInt64](repeating: 0, count: 10) + [980, 0, 20]
    read.waiting = 12_340_000
    read.isOverdue = true
    read.overdue = 1
    var key = EndpointCounters(address: 0x83, transfer: .interrupt)
    key.outstanding = 1
    key.maximumOutstanding = 1
    key.waiting = 100_000_000
    var write = EndpointCounters(address: 0x02, transfer: .bulk)
    write.completed = 900
    write.bytes = 27_900
    write.protocolErrors = 2
    write.maximumOutstanding = 1
    write.latency = [UInt64](repeating: 0, count: 25) + [900]
    return DeviceReport(
      device: device, since: 1_795_500_428,
      traffic: Traffic(
        SessionStatistics(
          elapsed: 200_000_000, refused: 3, unlinks: 4, endpoints: [control, read, write, key],
          capture: SessionStatistics.Capture(recorded: 5, dropped: 6))))
  }()

  static let attached = DeviceReport(
    device: DeviceSamples.opticalStatus,
    attachment: DeviceReport.Attachment(port: 8, localBusID: "9-1"),
    note: "its traffic goes from kernel to kernel here; alpha counts it")

  @Test func aDeviceInUse() {
    let lines = StatusBlock.lines(Self.exported) { "moment \($0)" }
    #expect(
      lines.joined(separator: "\n") == """
         12: SanDisk Cruzer Blade
           : busid        : 1-1.2@beta
           : local_state  : DISCONN_DONE
           : remote_state : INUSE
           : remote_user  : taka@gamma
           : since        : moment 1795500428
           : in use for   : 3 min 20 s
           : traffic      : 64.0 MiB in, 27.2 KiB out, 1912 URBs
           : trouble      : 3 errors, 1 of them stalls; 4 unlinked, 3 refused
           : capture      : 5 packets, 6 dropped

        ENDPOINT  TYPE       URBS     BYTES  PER_SECOND  ERRORS  STALLS  QUEUE  MAX      P50      P99
        0x80 IN   control      12     300 B         2 B       1       1      0    1  <256 us  <256 us
        0x81 IN   bulk       1000  64.0 MiB   327.7 KiB       0       0      1    4  <1.0 ms  <4.1 ms
        0x02 OUT  bulk        900  27.2 KiB       140 B       2       0      0    1  >16.8 s  >16.8 s
        0x83 IN   interrupt     0       0 B         0 B       0       0      1    1        -        -

        endpoint 0x81 IN bulk has waited 12.3 s for the device: overdue, it should have answered
        endpoint 0x83 IN interrupt has waited 100.0 s for the device
        """)
  }

  @Test func anAttachedDevice() {
    #expect(
      StatusBlock.lines(Self.attached).joined(separator: "\n") == """
          3: IO-DATA DEVICE,INC. Optical Storage
           : busid        : 1-1@alpha
           : local_state  : CONN_DONE
           : remote_state : INUSE
           : remote_user  : taka@beta
           : port         : 8 of vhci_hcd
           : local_busid  : 9-1
           : nodes        : /dev/sr0 /dev/sg1
           : traffic      : its traffic goes from kernel to kernel here; alpha counts it
        """)
  }

  @Test func theOverview() {
    var quiet = DeviceReport(device: DeviceSamples.mountedStatus)
    quiet.device.id = 5
    quiet.device.rule = "built in"
    #expect(
      StatusTable.lines([Self.attached, quiet, Self.exported]).joined(separator: "\n") == """
         ID  DEVICE                               HOST   STATE      RULE      USER               FOR        IN       OUT  URBS  ERRORS  REMARK
          3  IO-DATA DEVICE,INC. Optical Storage  alpha  CONN_DONE  -         taka@beta            -         -         -     -       -  its traffic goes from kernel to kernel here; alpha counts it
          5  SanDisk Cruzer Blade                 beta   DENIED     built in  NOBODY               -         -         -     -       -  sdb1 is mounted on /home
         12  SanDisk Cruzer Blade                 beta   INUSE      -         taka@gamma  3 min 20 s  64.0 MiB  27.2 KiB  1912       3  a transfer is overdue: devconfig status 12
        """)
    #expect(StatusTable.lines([]).isEmpty)
  }

  @Test func theVerbPrintsTheBlockOrTheTable() throws {
    let client = FakeAgentClient()
    client.reports = [Self.attached]
    let one = try Run(["status", "3"], client)
    #expect(one.console.data == StatusBlock.lines(Self.attached))
    let all = try Run(["status"], client)
    #expect(all.console.data == StatusTable.lines([Self.attached]))
    #expect(one.console.talk.isEmpty && all.console.talk.isEmpty)
    let json = try Run(["status", "--json"], client)
    #expect(
      json.console.data == [
        try StatusJSON.text(AgentCalls.StatusResults(devices: [Self.attached]))
      ])
    #expect(json.console.data.first?.hasSuffix(#""schema":"devconfig-status/1"}"#) == true)
    #expect(client.requests == ["status 3", "status ", "status "])
  }

  @Test func aMistakeInTheConfigurationIsToldBesideTheData() throws {
    let client = FakeAgentClient()
    client.reports = [Self.attached]
    client.mistake = "/etc/devconfig/devconfig.yaml: line 3: port: a number is needed"
    let run = try Run(["status"], client)
    #expect(run.console.data == StatusTable.lines([Self.attached]))
    #expect(
      run.console.talk == [
        "the rules of before are in force: /etc/devconfig/devconfig.yaml: line 3: "
          + "port: a number is needed",
        "  mend that, then: systemctl reload devconfigd",
      ])
    let json = try Run(["status", "--json"], client)
    #expect(json.console.talk.isEmpty)
    #expect(json.console.data.first?.contains(#""mistake":"/etc/devconfig"#) == true)
  }

  @Test func nothingToShowIsSaidBesideTheData() throws {
    let run = try Run(["status"], FakeAgentClient())
    #expect(run.code == .success)
    #expect(run.console.data.isEmpty)
    #expect(run.console.talk.count == 1)
    #expect(
      try Run(["status", "--json"], FakeAgentClient()).console.data == [
        #"{"devices":[],"schema":"devconfig-status/1"}"#
      ])
  }

  @Test(arguments: [
    (UInt64(0), "0 us"), (999, "999 us"), (1000, "1.0 ms"), (999_999, "1000.0 ms"),
    (1_000_000, "1.0 s"), (119_900_000, "119.9 s"), (120_000_000, "2 min 0 s"),
    (7_200_000_000, "2 h 0 min"), (172_800_000_000, "2 d 0 h"), (UInt64.max, "213503982 d 8 h"),
  ])
  func times(microseconds: UInt64, text: String) {
    #expect(Measures.time(microseconds: microseconds) == text)
  }

  @Test(arguments: [
    (0.0, "0 B"), (1023.0, "1023 B"), (1024.0, "1.0 KiB"), (1.5 * 1024 * 1024, "1.5 MiB"),
    (Double(UInt64.max), "16.0 EiB"), (-1.0, "0 B"),
  ])
  func bytes(count: Double, text: String) {
    #expect(Measures.bytes(count) == text)
  }

  @Test func greatNumbersDoNotTrap() {
    var endpoint = EndpointCounters(address: 0x81, transfer: .bulk)
    endpoint.completed = .max
    endpoint.bytes = .max
    endpoint.latency = [UInt64](repeating: .max, count: 26)
    endpoint.waiting = .max
    let report = DeviceReport(
      device: DeviceSamples.mouseStatus, since: .max,
      traffic: Traffic(SessionStatistics(elapsed: 0, endpoints: [endpoint])))
    #expect(StatusBlock.lines(report).count > 10)
    #expect(StatusTable.lines([report]).count == 2)
  }
}
