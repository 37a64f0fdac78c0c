// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import SharePolicy
import Testing
import USBModel

@Suite struct SharePolicyTests {
  let policy = SharePolicy()

  func device(
    classCode: ClassCode = ClassCode(0), interface: ClassCode = ClassCode(8, 6, 0x50),
    isImported: Bool = false
  ) throws -> Device {
    Device(
      busID: try #require(BusID("1-1.2")), busNumber: 1, deviceNumber: 4, speed: .high,
      vendorProduct: VendorProduct(vendor: 0x0781, product: 0x5567), classCode: classCode,
      interfaces: [Interface(number: 0, classCode: interface)], isImported: isImported)
  }

  @Test func anIdleDeviceIsShared() throws {
    #expect(policy.judge(try device(), uses: []).verdict == .share)
  }

  @Test("row 23: a hub is never shared nor announced") func aHubIsNeverSharedNorAnnounced() throws {
    let denial = try #require(
      policy.judge(try device(classCode: ClassCode(ClassCode.hub)), uses: []).denial)
    #expect(denial.isLasting)
    #expect(denial.reason.contains("hub"))
  }

  @Test func aHubIsKnownByItsInterfaceToo() throws {
    let hub = try device(interface: ClassCode(ClassCode.hub))
    #expect(policy.judge(hub, uses: []).denial?.isLasting == true)
  }

  @Test("row 23: an imported device is never given on") func anImportedDeviceIsNeverGivenOn() throws
  {
    let denial = try #require(policy.judge(try device(isImported: true), uses: []).denial)
    #expect(denial.isLasting)
    #expect(denial.reason.contains("another machine"))
  }

  @Test(arguments: [
    (LocalUse.mounted(node: "sdb1", path: "/srv"), "sdb1 is mounted on /srv"),
    (.swap(node: "sdc"), "sdc is swap space of its machine"),
    (.held(node: "sdd", holder: "md0"), "sdd is part of md0"),
    (
      .keyboard(node: "event3", owner: "agetty on tty1"),
      "event3 is a keyboard in use by agetty on tty1"
    ),
    (.network(interface: "enx0"), "network interface enx0 is in use"),
    (
      .open(node: "ttyUSB0", program: "minicom", process: 412),
      "ttyUSB0 is in use by minicom (process 412)"
    ),
  ])
  func aDeviceInUseIsKeptAndItsOwnerNamed(use: LocalUse, reason: String) throws {
    let judgement = policy.judge(try device(), uses: [use])
    #expect(judgement == Judgement(.deny(Denial(reason)), basis: "built in"))
  }

  @Test func theMountIsNamedBeforeTheProgram() throws {
    let uses: [LocalUse] = [
      .open(node: "sdb", program: "dd", process: 7), .mounted(node: "sdb1", path: "/home"),
    ]
    #expect(policy.judge(try device(), uses: uses).denial?.reason == "sdb1 is mounted on /home")
  }

  @Test func anUnconfiguredDeviceIsNotShared() throws {
    var bare = try device()
    bare.interfaces = []
    bare.configurationValue = 0
    #expect(policy.judge(bare, uses: []).denial != nil)
  }
}
