// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import LinuxHost
import SystemPackage
import TestSupport
import Testing
import USBIPWire
import USBModel

extension Processes {
  /// What a stock USB/IP importer gets of an agent, and another agent.
  @Suite(.timeLimit(.minutes(1))) struct SharingProcessTests {
    /// A machine with a free disk, a mounted one, a hub, and a device that came over the network.
    func alpha() throws -> Machine {
      let machine = try Machine("alpha")
      try machine.tree.add(DeviceSamples.disk("1-1"))
      var mounted = DeviceSamples.disk("1-2")
      mounted.serial = "MOUNTED1"
      mounted.deviceNumber = 5
      try machine.tree.add(mounted)
      try machine.tree.addDisk("sdb", below: mounted.busID)
      try machine.tree.addMount(number: "8:16", path: "/home", source: "/dev/sdb")
      try machine.tree.add(DeviceSamples.hub("2-1"))
      var imported = DeviceSamples.mouse("9-1")
      imported.serial = "FAR"
      try machine.tree.add(imported, below: SysfsTree.virtualController)
      return machine
    }

    @Test func shareAndUnshareDecideWhoGetsIt() async throws {
      let machine = try alpha()
      let agent = try await machine.startAgent()
      let before = try machine.tree.read("etc/devconfig.yaml")
      #expect(try await machine.devconfig("name", "1-1@alpha", "lab stick").code == .success)
      #expect(try await machine.devconfig("unshare", "lab stick").code == .success)
      let kept = try await machine.list { devices in
        devices.contains { $0.busID == "1-1" && $0.remoteState == .denied }
      }.first { $0.busID == "1-1" }
      #expect(kept?.name == "lab stick")
      #expect(kept?.deviceName == "SanDisk Cruzer Blade")
      #expect(kept?.reason?.hasPrefix("a rule of its machine keeps it (rule 1, line") == true)
      #expect(try await importStatus("1-1", of: machine) == .notAvailable)
      let table = try await machine.devconfig("status").data
      #expect(table.contains { $0.contains("DENIED  rule 1, line") })

      // For somebody else than a stock client.
      #expect(
        try await machine.devconfig("share", "lab stick", "--user", "taka").code == .success)
      let shared = try await machine.list { devices in
        devices.contains { $0.busID == "1-1" && $0.remoteState == .available }
      }
      #expect(shared.contains { $0.name == "lab stick" })
      #expect(try await importStatus("1-1", of: machine) == .notAvailable)
      let text = try machine.tree.read("etc/devconfig.yaml")
      #expect(text.hasPrefix(before))
      #expect(text.contains(#"user: ["taka"]}  # devconfig share"#))
      #expect(!text.contains("unshare"))

      // A mistake leaves the rules of before.
      try machine.tree.write("\(text)  - allow: some\n", to: "etc/devconfig.yaml")
      let refused = try await machine.devconfig("unshare", "lab stick")
      #expect(refused.code == .failure)
      #expect(refused.words.contains("all is needed"))
      #expect(try machine.tree.read("etc/devconfig.yaml") == "\(text)  - allow: some\n")
      #expect(try await machine.devconfig("status").words.contains("rules of before are in force"))
      #expect(try await importStatus("1-1", of: machine) == .notAvailable)

      // SIGHUP has it read again.
      try machine.tree.write(before, to: "etc/devconfig.yaml")
      agent.signal(1)
      let open = try await machine.list { devices in
        devices.contains { $0.busID == "1-1" && $0.rule == "no rule" }
      }
      #expect(open.contains { $0.busID == "1-1" && $0.remoteState == .available })
      agent.signal(15)
      #expect(try await agent.ended() == 0)
    }

    func importStatus(_ busID: String, of machine: Machine) async throws -> OperationStatus? {
      let reply = try await TCPClient.ask(
        OperationRequestEncoder.importDevice(DeviceSamples.busID(busID)), expecting: .importDevice,
        of: machine.port)
      guard case .refused(let status) = reply else { return nil }
      return status
    }

    @Test("row 23: what is kept is named and refused") func whatIsKeptIsNamedAndRefused()
      async throws
    {
      let machine = try alpha()
      let agent = try await machine.startAgent()
      let states = try await machine.list().map { device in
        "\(device.busID) \(device.remoteState.rawValue) \(device.reason ?? "")"
      }.sorted()
      #expect(states.first == "1-1 AVAIL ")
      #expect(states.contains("1-2 DENIED \(machine.tree.dev)/sdb is mounted on /home"))
      #expect(states.contains { $0.hasPrefix("2-1 DENIED it is a hub") })
      #expect(states.contains { $0.hasPrefix("9-1 DENIED it came from another machine") })

      let reply = try await TCPClient.ask(
        OperationRequestEncoder.deviceList(), expecting: .deviceList, of: machine.port)
      guard case .deviceList(let devices) = reply else {
        Issue.record("\(reply)")
        return
      }
      #expect(devices.map(\.busID.description) == ["1-1"])
      for busID in ["1-2", "2-1", "9-1"] {
        #expect(try await importStatus(busID, of: machine) == .notAvailable, "\(busID)")
      }
      #expect(try await importStatus("7-7", of: machine) == .noDevice)
      agent.signal(15)
      #expect(try await agent.ended() == 0)
    }

    /// The fake device has no usbfs: taking it fails half way, and it is as free as before.
    @Test func aDeviceThatCannotBeTakenStaysFree() async throws {
      let machine = try alpha()
      try await machine.startAgent()
      #expect(try await importStatus("1-1", of: machine) == .deviceError)
      _ = try await machine.list {
        $0.contains { $0.busID == "1-1" && $0.remoteState == .available }
      }
      #expect(try machine.tree.read("run/undo.json") == #"{"claimed":[],"ports":[]}"#)
    }

    @Test func aPortThatIsTakenIsToldAndTheAgentGoesOn() async throws {
      let machine = try alpha()
      let other = try NetworkListener(port: machine.port)
      let agent = try await machine.startAgent()
      try await agent.line("the TCP port cannot be opened", "\(machine.port)", "ss -ltnp")
      let devices = try await machine.list { $0.contains { $0.remoteState == .denied } }
      let disk = try #require(devices.first { $0.busID == "1-1" })
      #expect(disk.remoteState == .denied)
      #expect(disk.reason == "TCP port \(machine.port) is taken by another program")
      let table = try await machine.devconfig("list")
      #expect(table.data.joined().contains("TCP port \(machine.port) is taken by another program"))
      agent.signal(15)
      #expect(try await agent.ended() == 0)
      withExtendedLifetime(other) {}
    }

    @Test func twoAgentsAndAStockExporter() async throws {
      let stock = try ScriptedExporter([DeviceSamples.mouse("3-1")])
      let alpha = try alpha()
      let beta = try Machine(peers: [alpha.port, stock.port])
      let first = try await alpha.startAgent()
      let second = try await beta.startAgent()
      let listed = try await beta.list { $0.count == 2 }
      #expect(
        Set(listed.map { "\($0.busID) \($0.port) \($0.remoteState.rawValue)" }) == [
          "1-1 \(alpha.port) AVAIL", "3-1 \(stock.port) AVAIL",
        ])
      let table = try await beta.devconfig("list")
      #expect(table.data.count == 3)
      #expect(table.data.first?.hasPrefix(" ID  DEVICE") == true)
      if Machine.mayAttach {
        let kernel = try FakeKernel(beta.tree)
        let id = try #require(listed.first { $0.busID == "1-1" }).id
        // Its device has no usbfs: the exporter says so, and keeps it.
        #expect(try await beta.devconfig("up", "\(id)").code == .failure)
        #expect(kernel.log.events.isEmpty)
      }
      first.signal(15)
      second.signal(15)
      #expect(try await first.ended() == 0)
      #expect(try await second.ended() == 0)
    }

    @Test func whatIsPluggedInAndOutIsListed() async throws {
      let machine = try Machine("alpha")
      try await machine.startAgent()
      #expect(try await machine.list().isEmpty)
      try machine.tree.add(DeviceSamples.disk("1-1"))
      let devices = try await machine.list { $0.count == 1 }
      #expect(devices.first?.isLocal == true)
      #expect(devices.first?.name == "SanDisk Cruzer Blade")
      let json = try await machine.devconfig("list", "--json")
      #expect(json.data.count == 1)
      #expect(json.data.first?.contains(#""schema":"devconfig/1""#) == true)
      let long = try await machine.devconfig("list", "--long", "1")
      #expect(long.data.first == "  1: SanDisk Cruzer Blade")
      try machine.tree.remove(DeviceSamples.busID("1-1"))
      _ = try await machine.list { $0.isEmpty }
    }
  }
}
