// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import ArgumentParser
import LinuxHost
import TestSupport
import Testing

@testable import DevconfigCommands

@Suite struct DoctorTests {
  /// A machine on which everything is as it should be.
  static var healthy: HostSurvey {
    var survey = HostSurvey()
    survey.release = "6.1.0-9-amd64"
    survey.hasVirtualHost = true
    survey.ports = (0..<8).map {
      VirtualPort(number: $0, controller: 0, isSuperSpeed: $0 >= 4, state: .free)
    }
    survey.usbfsMemory = 256
    survey.hasAvahi = true
    survey.givesBackBeforeSleep = true
    return survey
  }

  func findings(
    agentFailure: String? = nil, mistake: String? = nil, peers: [Examination.Peer] = [],
    controllers: [ControllerReport]? = nil, _ change: (inout HostSurvey) -> Void = { _ in }
  ) -> [Finding] {
    var survey = Self.healthy
    change(&survey)
    return Examination(
      survey: survey, agentFailure: agentFailure,
      status: AgentCalls.StatusResults(devices: [], mistake: mistake, controllers: controllers),
      port: 3240, peers: peers
    ).findings
  }

  /// What is not good.
  func troubles(
    agentFailure: String? = nil, mistake: String? = nil, peers: [Examination.Peer] = [],
    _ change: (inout HostSurvey) -> Void = { _ in }
  ) -> [Finding] {
    findings(agentFailure: agentFailure, mistake: mistake, peers: peers, change)
      .filter { $0.rank != .good }
  }

  @Test func aHealthyMachineHasNothingToMend() {
    let all = findings(peers: [
      Examination.Peer(host: "gamma", address: "10.9.0.3", port: 3240, time: 0.52)
    ])
    #expect(all.allSatisfy { $0.rank == .good && $0.mend == nil })
    #expect(
      all.flatMap(\.lines) == [
        "ok       vhci_hcd: 4 of 4 high-speed ports are free",
        "ok       vhci_hcd: 4 of 4 SuperSpeed ports are free",
        "ok       usbfs: all transfers together may take 256 MiB",
        "ok       devconfigd: the agent answers",
        "ok       sleep: everything is given back before this machine sleeps",
        "ok       avahi: avahi-daemon runs",
        "ok       clock: it is kept in time",
        "ok       gamma (10.9.0.3, port 3240): it answers within 0.5 ms",
      ])
  }

  @Test(arguments: [
    ("6.1.0-9-amd64", "debian", true, "modprobe vhci-hcd"),
    (
      "6.1.0-9-cloud-amd64", "debian", false,
      "apt install linux-image-$(dpkg --print-architecture), then reboot into it"
    ),
    (
      "6.8.0-31-generic", "ubuntu", false,
      "apt install linux-modules-extra-6.8.0-31-generic && modprobe vhci-hcd"
    ),
  ])
  func aKernelWithoutTheModuleIsNamed(
    release: String, distribution: String, isInstalled: Bool, mend: String
  ) {
    let found = troubles {
      $0.hasVirtualHost = false
      $0.isVirtualHostInstalled = isInstalled
      $0.release = release
      $0.distribution = distribution
    }
    #expect(
      found == [
        Finding(
          .trouble, "vhci_hcd", "the kernel \(release) does not have it: nothing can be attached",
          mend: mend)
      ])
  }

  @Test func theHalfThatIsFullIsNamed() {
    let full = troubles { survey in for index in 4..<8 { survey.ports[index].state = .used } }
    #expect(full.map(\.rank) == [.trouble])
    #expect(full.map(\.text) == ["0 of 4 SuperSpeed ports are free"])
    let almost = troubles { survey in for index in 0..<3 { survey.ports[index].state = .used } }
    #expect(almost.map(\.rank) == [.notice])
    #expect(almost.map(\.text) == ["1 of 4 high-speed ports are free"])
  }

  @Test func sequenceNumbersAreToldByTheMostUsedHalf() {
    func half(_ controller: Int, _ used: UInt64, _ state: ControllerReport.State)
      -> ControllerReport
    {
      ControllerReport(
        controller: controller, isSuperSpeed: controller > 2, used: used, state: state)
    }
    let good = findings(controllers: [half(0, 12, .fresh), half(3, 345, .fresh)])
    #expect(good.allSatisfy { $0.rank == .good })
    #expect(
      good.map(\.text).contains(
        "no half of a controller has used more than 345 of its 2147483648 sequence numbers"))
    let found = findings(controllers: [
      half(0, 1_100_000_000, .worn), half(1, 1_200_000_000, .worn), half(2, 3, .fresh),
      half(3, 1_700_000_000, .ending),
    ]).filter { $0.text.contains("sequence numbers") }
    #expect(found.map(\.rank) == [.notice, .good, .notice])
    #expect(
      found.map(\.text) == [
        "the high-speed half of controller 0 has used up to 1100000000 of its 2147483648 sequence "
          + "numbers, and has the control files: it is left alone while others have room",
        "the high-speed half of controller 1 has used up to 1200000000 of its 2147483648 sequence "
          + "numbers: it is made anew once nothing is attached to it",
        "the SuperSpeed half of controller 3 has used up to 1700000000 of its 2147483648 sequence "
          + "numbers: the kernel loses its devices then",
      ])
    #expect(
      found.map(\.mend) == [
        "with nothing attached: modprobe -r vhci-hcd && modprobe vhci-hcd", nil,
        "devconfig status names them; devconfig down ID and devconfig up ID moves one",
      ])
  }

  @Test func whatIsToldToMembersOnlyIsSaidToOthers() {
    let found = Examination(
      survey: Self.healthy, agentFailure: nil, status: nil, port: 3240, peers: []
    ).findings.filter { $0.rank != .good }
    #expect(found.map(\.subject) == ["devconfigd"])
    #expect(found.map(\.mend) == ["as root: devconfig doctor"])
  }

  @Test func littleMemoryForTransfersIsNamed() {
    #expect(
      troubles { $0.usbfsMemory = 16 }.map(\.mend) == [
        "echo 256 > /sys/module/usbcore/parameters/usbfs_memory_mb"
      ])
    #expect(troubles { $0.usbfsMemory = 0 }.isEmpty)
    #expect(troubles { $0.usbfsMemory = nil }.map(\.rank) == [.trouble])
  }

  @Test func agentAvahiAndConfigurationHaveTheirCommands() {
    #expect(
      troubles(agentFailure: "it does not run").map(\.mend) == ["systemctl enable --now devconfigd"]
    )
    #expect(
      troubles(mistake: "line 3: port: a number").map(\.mend) == [
        "mend that, then: systemctl reload devconfigd"
      ])
    #expect(troubles { $0.hasAvahi = false }.map(\.mend) == ["apt install avahi-daemon"])
    #expect(
      troubles {
        $0.hasAvahi = false
        $0.isAvahiInstalled = true
      }.map(\.mend) == ["systemctl enable --now avahi-daemon"])
    #expect(
      troubles { $0.givesBackBeforeSleep = false }.map(\.mend) == [
        "systemctl enable devconfig-sleep"
      ])
    #expect(troubles { $0.isClockKept = false }.map(\.mend) == ["timedatectl set-ntp true"])
  }

  @Test func programsThatGrabSerialPortsAreNamed() {
    let found = troubles { $0.programs = ["ModemManager", "brltty", "bash"] }
    #expect(found.map(\.subject) == ["ModemManager", "brltty"])
    #expect(found.map(\.mend) == ["systemctl disable --now ModemManager", "apt remove brltty"])
  }

  @Test func peersThatAreFarOrSilentAreNamed() {
    let found = troubles(peers: [
      Examination.Peer(host: "alpha", address: "10.9.0.1", port: 3240, time: 31.27),
      Examination.Peer(host: "gamma", address: "10.9.0.3", port: 3241, failure: "no route"),
    ])
    #expect(found.map(\.rank) == [.notice, .trouble])
    #expect(found.first?.text.hasPrefix("it answers within 31.2 ms: devices") == true)
    #expect(found.last?.subject == "gamma (10.9.0.3, port 3241)")
    #expect(found.last?.text == "it cannot be reached: no route")
    #expect(found.last?.mend == "on gamma: devconfig doctor; from here: ping 10.9.0.3")
  }

  @Test func theVerbEndsWithWhatItFound() throws {
    func run(
      _ arguments: [String], _ agent: FakeAgentClient?, _ survey: HostSurvey
    ) throws -> (RecordingConsole, AgentAPI.ExitCode) {
      let verb = try #require(try Devconfig.parseAsRoot(["doctor"] + arguments) as? DoctorVerb)
      var client: (any AgentClient)? = agent
      var console: any Console = RecordingConsole()
      let code = try verb.examine(
        &client, agent == nil ? "the agent does not run" : nil, &console, survey: { _ in survey })
      return (try #require(console as? RecordingConsole), code)
    }
    let good = try run([], FakeAgentClient([DeviceSamples.mountedStatus]), Self.healthy)
    #expect(good.1 == .success)
    #expect(good.0.data.allSatisfy { $0.hasPrefix("ok ") })
    let bad = try run([], nil, Self.healthy)
    #expect(bad.1 == .failure)
    #expect(bad.0.data.contains("TROUBLE  devconfigd: the agent does not run"))
    #expect(bad.0.data.contains("         systemctl enable --now devconfigd"))
    let json = try run(["--json"], FakeAgentClient(), Self.healthy).0.data
    #expect(json.count == 1)
    #expect(json.first?.hasSuffix(#""schema":"devconfig-doctor/1"}"#) == true)
    #expect(json.first?.contains(#""rank":"good","subject":"avahi""#) == true)
  }
}
