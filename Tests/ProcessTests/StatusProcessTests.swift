// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import AgentAPI
import Glibc
import SystemPackage
import TestSupport
import Testing
import USBModel

extension Processes {
  /// `status` and `capture` as far as a machine without usbfs goes.
  @Suite(.timeLimit(.minutes(1))) struct StatusProcessTests {
    @Test func aDeviceOfThisMachineThatNobodyUses() async throws {
      let machine = try Machine("alpha")
      try machine.tree.add(DeviceSamples.disk("1-1"))
      try await machine.startAgent()
      _ = try await machine.list { $0.count == 1 }
      let table = try await machine.devconfig("status")
      #expect(table.code == .success)
      #expect(table.data.count == 2)
      #expect(table.data.last?.hasPrefix("  1  SanDisk Cruzer Blade  alpha  AVAIL") == true)
      let block = try await machine.devconfig("status", "1")
      #expect(block.data.first == "  1: SanDisk Cruzer Blade")
      #expect(block.data.contains("   : busid        : 1-1@alpha"))
      let json = try await machine.devconfig("status", "--json", "1")
      #expect(json.data.count == 1)
      #expect(json.data.first?.hasSuffix(#""schema":"devconfig-status/1"}"#) == true)
      #expect(json.data.first?.contains("traffic") == false)

      let file = machine.tree.root.appending("capture.pcapng")
      let capture = try await machine.devconfig("capture", "1", file.string)
      #expect(capture.code == .failure)
      #expect(capture.words.contains("nobody uses SanDisk Cruzer Blade over the network"))
      #expect(capture.words.contains("usbmon"))
      #expect(file.withCString { access($0, F_OK) } != 0, "a refused capture touches no file")

      #expect(try await machine.devconfig("status", "printer").code == .unknownDevice)
      #expect(try await machine.devconfig("capture", "printer", "-").code == .unknownDevice)
      #expect(try await machine.devconfig("capture", "1").code == .usage)
      #expect(
        try await machine.devconfig("capture", "--snap-length", "9999999", "1", "-").code == .usage)
    }

    @Test(.enabled(if: Machine.mayAttach, "needs root and libFakeKernelHooks.so"))
    func anAttachedDevice() async throws {
      let exporter = try ScriptedExporter([DeviceSamples.disk("1-1")])
      let machine = try Machine(peers: [exporter.port])
      let kernel = try FakeKernel(machine.tree)
      try await machine.startAgent(kernel: kernel)
      _ = try await machine.list { $0.count == 1 }
      #expect(try await machine.devconfig("status").data.isEmpty, "it is neither here nor attached")
      #expect(try await machine.devconfig("up", "1").code == .success)
      let block = try await machine.devconfig("status", "1")
      #expect(block.code == .success)
      #expect(block.data.contains("   : port         : 0 of vhci_hcd"))
      #expect(block.data.contains("   : nodes        : \(kernel.node)"))
      #expect(block.data.last?.contains("127.0.0.1 counts it") == true)
      let table = try await machine.devconfig("status")
      #expect(table.data.count == 2)
      #expect(table.data.last?.contains("CONN_DONE  -     root@beta") == true)
      let capture = try await machine.devconfig("capture", "1", "-")
      #expect(capture.code == .failure)
      #expect(capture.words.contains("captured where it is plugged in, on 127.0.0.1"))
      #expect(try await machine.devconfig("down", "1").code == .success)
      #expect(try await machine.devconfig("status").data.isEmpty)
    }
  }
}
