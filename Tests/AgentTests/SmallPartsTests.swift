// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import Testing

@testable import Agent

@Suite struct GateTests {
  @Test func nobodyComesInPastTheLimitOfHisKey() {
    let gate = Gate(limit: 10, perKey: 2)
    #expect(gate.enter("a"))
    #expect(gate.enter("a"))
    #expect(!gate.enter("a"))
    #expect(gate.enter("b"))
    gate.leave("a")
    #expect(gate.enter("a"))
    #expect(!gate.enter("a"))
  }

  @Test func nobodyComesInPastTheLimitOfAll() {
    let gate = Gate(limit: 3, perKey: 3)
    for key in ["a", "b", "c"] { #expect(gate.enter(key)) }
    #expect(!gate.enter("d"))
    gate.leave("b")
    #expect(gate.enter("d"))
    #expect(!gate.enter("b"))
  }

  @Test func leavingTooOftenMakesNoRoom() {
    let gate = Gate(limit: 2, perKey: 1)
    gate.leave("a")
    gate.leave("a")
    #expect(gate.enter("a"))
    #expect(!gate.enter("a"))
  }

  @Test func manyAtOnceAreCountedRight() async {
    let gate = Gate(limit: 50, perKey: 50)
    let inside = await withTaskGroup(of: Bool.self) { group in
      for number in 0..<200 { group.addTask { gate.enter("key\(number % 7)") } }
      return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
    }
    #expect(inside == 50)
  }
}

@Suite struct KernelAdviceTests {
  @Test func theCloudKernelNeedsAnotherKernel() {
    let advice = KernelAdvice.forMissingModule("vhci-hcd", release: "6.1.0-56-cloud-amd64")
    #expect(advice.contains("6.1.0-56-cloud-amd64"))
    #expect(advice.contains("apt install linux-image-amd64"))
    #expect(advice.contains("reboot"))
  }

  @Test(arguments: ["6.1.0-56-amd64", ""]) func anotherKernelLoadsTheModule(release: String) {
    let advice = KernelAdvice.forMissingModule("vhci-hcd", release: release)
    #expect(advice.contains("modprobe vhci-hcd"))
    #expect(!advice.contains("reboot"))
  }
}
