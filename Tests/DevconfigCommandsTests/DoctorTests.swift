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
    _ change: (inout HostSurvey) -> Void = { _ in }
  ) -> [Finding] {
    var survey = Self.healthy
    change(&survey)
    return Examination(
      survey: survey, agentFailure: agentFailure, mistake: mistake, port: 3240, peers: peers
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
    ("6.1.0-9-amd64", "modprobe vhci-hcd"),
    ("6.1.0-9-cloud-amd64", "apt install linux-image-amd64, then reboot into it"),
  ])
  func aKernelWithoutTheModuleIsNamed(release: String, mend: String) {
    let found = troubles {
      $0.hasVirtualHost = false
      $0.release = release
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

  @Test(arguments: [
    (HostSurvey.Firewall.firewalld, Finding.Rank.notice), (.ufw(opensPort: nil), .notice),
    (.ufw(opensPort: false), .trouble), (.ufw(opensPort: true), .good),
  ])
  func aFirewallIsNamedWithTheCommandThatOpensThePort(
    firewall: HostSurvey.Firewall, rank: Finding.Rank
  ) throws {
    let found = try #require(
      findings { $0.firewall = firewall }.first { $0.subject == "firewall" })
    #expect(found.rank == rank)
    #expect((found.mend != nil) == (rank != .good))
    #expect(found.mend?.contains("3240/tcp") ?? true)
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
