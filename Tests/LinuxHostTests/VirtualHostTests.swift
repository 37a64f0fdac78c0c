// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import LinuxHost
import SystemPackage
import TestSupport
import Testing
import USBModel

@Suite struct VirtualHostTests {
  @Test func `a status text as the kernel prints it`() throws {
    let text = """
      hub port sta spd dev      sockfd local_busid
      hs  0000 006 003 00010002 000004 3-1
      hs  0001 004 000 00000000 000000 0-0
      hs  0002 005 000 00000000 000000 0-0
      hs  0003 007 000 00000000 000000 0-0
      ss  0015 006 005 00fe0007 000011 4-1
      ss  0016 005 000 00000000 0000000000000000 0-0

      """
    #expect(
      VirtualPort.parse(status: text, controller: 0) == [
        VirtualPort(
          number: 0, controller: 0, isSuperSpeed: false, state: .used, deviceID: 0x0001_0002,
          localBusID: BusID("3-1")),
        VirtualPort(number: 1, controller: 0, isSuperSpeed: false, state: .free),
        VirtualPort(number: 2, controller: 0, isSuperSpeed: false, state: .notAssigned),
        VirtualPort(number: 3, controller: 0, isSuperSpeed: false, state: .error),
        VirtualPort(
          number: 15, controller: 0, isSuperSpeed: true, state: .used, deviceID: 0x00FE_0007,
          localBusID: BusID("4-1")),
        VirtualPort(number: 16, controller: 0, isSuperSpeed: true, state: .notAssigned),
      ])
  }

  @Test(arguments: [
    "", "\n\n", "hub port sta spd dev      sockfd local_busid", "hs 1",
    "hs -1 004 000 00000000 0 0-0",
    "hs 0001 xxx 000 00000000 0 0-0", "hs 0001 004 000 100000000 0 0-0", "xs 0001 004 000 0 0 0-0",
    "hs 99999999999999999999 004 000 00000000 0 0-0", "hs 65536 004 000 00000000 0 0-0", "\0\0\0",
    "prt sta spd bus dev socket local_busid", "000 004 000 000 000 0000000000000000 0-0",
  ])
  func `lines that make no sense are left out`(text: String) {
    #expect(VirtualPort.parse(status: text, controller: 0).isEmpty)
  }

  @Test func `a state of a newer kernel counts as an error, a bad bus ID as none`() {
    let ports = VirtualPort.parse(
      status:
        "hs 0007 099 000 00000001 0 1-1\nhs 0008 006 003 00000002 0 ../../x\nhs 0009 006 003 00000003 4 0-0",
      controller: 3)
    #expect(
      ports == [
        VirtualPort(
          number: 7, controller: 3, isSuperSpeed: false, state: .error, deviceID: 1),
        VirtualPort(number: 8, controller: 3, isSuperSpeed: false, state: .used, deviceID: 2),
        VirtualPort(number: 9, controller: 3, isSuperSpeed: false, state: .used, deviceID: 3),
      ])
  }

  @Test func `ports of all controllers are read`() throws {
    let tree = try SysfsTree()
    let host = VirtualHost(sysfs: Sysfs(root: tree.sys))
    #expect(!host.isPresent)
    #expect(throws: HostError.self) { try host.ports() }
    try tree.addVirtualHost(controllers: 8)
    #expect(host.isPresent)
    let ports = try host.ports()
    #expect(ports.count == 240)
    #expect(ports.map(\.number) == Array(0..<240))
    #expect(ports[45].controller == 1)
    #expect(ports[45].isSuperSpeed)
    #expect(ports.allSatisfy { $0.state == .free })
  }

  @Test func `the port is in the right half, on the least used controller`() throws {
    let tree = try SysfsTree()
    try tree.addVirtualHost(controllers: 3)
    var ports = try VirtualHost(sysfs: Sysfs(root: tree.sys)).ports()
    #expect(VirtualHost.choosePort(from: ports, speed: .high) == 0)
    #expect(VirtualHost.choosePort(from: ports, speed: .superSpeed) == 15)
    #expect(VirtualHost.choosePort(from: ports, speed: .superSpeedPlus) == 15)
    ports[0].state = .used
    #expect(VirtualHost.choosePort(from: ports, speed: .low) == 30)
    #expect(VirtualHost.choosePort(from: ports, speed: .superSpeed) == 45)
    ports[45].state = .notAssigned
    #expect(VirtualHost.choosePort(from: ports, speed: .full) == 60)
    ports[61].state = .error
    #expect(VirtualHost.choosePort(from: ports, speed: .full) == 1)
    #expect(VirtualHost.choosePort(from: ports, speed: .full, excluding: [1]) == 30)
  }

  @Test func `no port is left when all of the half are taken`() throws {
    let tree = try SysfsTree()
    try tree.addVirtualHost(controllers: 1, portsPerHub: 2)
    var ports = try VirtualHost(sysfs: Sysfs(root: tree.sys)).ports()
    #expect(VirtualHost.choosePort(from: ports, speed: .high, excluding: [0, 1]) == nil)
    ports[2].state = .used
    #expect(VirtualHost.choosePort(from: ports, speed: .superSpeed) == 3)
    ports[3].state = .used
    #expect(VirtualHost.choosePort(from: ports, speed: .superSpeed) == nil)
    #expect(VirtualHost.choosePort(from: [], speed: .high) == nil)
  }

  @Test func `a worn controller comes last`() throws {
    let tree = try SysfsTree()
    try tree.addVirtualHost(controllers: 3, portsPerHub: 2)
    var ports = try VirtualHost(sysfs: Sysfs(root: tree.sys)).ports()
    #expect(VirtualHost.choosePort(from: ports, speed: .high, worn: [0]) == 4)
    #expect(VirtualHost.choosePort(from: ports, speed: .superSpeed, worn: [0, 1]) == 10)
    #expect(VirtualHost.choosePort(from: ports, speed: .high, worn: [0, 1, 2]) == 0)
    for number in 4..<12 where !ports[number].isSuperSpeed { ports[number].state = .used }
    #expect(VirtualHost.choosePort(from: ports, speed: .high, worn: [0]) == 0)
    #expect(VirtualHost.choosePort(from: ports, speed: .superSpeed, worn: [0]) == 6)
  }

  /// Debian's kernel has 8 controllers; `CONFIG_USBIP_VHCI_NR_HCS` may be more.
  @Test(arguments: [1, 8, 16], [Speed.low, .high, .superSpeed])
  func `every port of a half is used, evenly`(controllers: Int, speed: Speed) throws {
    let tree = try SysfsTree()
    try tree.addVirtualHost(controllers: controllers)
    let host = VirtualHost(sysfs: Sysfs(root: tree.sys))
    var ports = try host.ports()
    #expect(ports.count == controllers * 30)
    var counts = [Int](repeating: 0, count: controllers)
    for count in 1...controllers * 15 {
      let port = try #require(VirtualHost.choosePort(from: ports, speed: speed))
      #expect(ports[port].state == .free)
      #expect(ports[port].isSuperSpeed == speed.needsSuperSpeedPort)
      ports[port].state = .used
      counts[ports[port].controller] += 1
      #expect((counts.max() ?? 0) - (counts.min() ?? 0) <= 1, "after \(count)")
    }
    #expect(VirtualHost.choosePort(from: ports, speed: speed) == nil)
    // The other half has all of its ports still.
    let other = ports.filter { $0.isSuperSpeed != speed.needsSuperSpeedPort }
    #expect(other.allSatisfy { $0.state == .free })
    try tree.setVirtualPorts(ports)
    #expect(try host.ports().count { $0.state == .used } == controllers * 15)
  }

  @Test func `attach and detach write decimal numbers without a newline`() throws {
    let tree = try SysfsTree()
    try tree.addVirtualHost()
    let host = VirtualHost(sysfs: Sysfs(root: tree.sys))
    try host.attach(port: 17, socket: 9, deviceID: 0x0102_0304, speed: .superSpeedPlus)
    #expect(try tree.takeAttach() == "17 9 16909060 5")
    try host.detach(port: 17)
    #expect(try tree.takeDetach() == "17")
  }

  @Test func `the status text of the fake reads back`() throws {
    let tree = try SysfsTree()
    let ports = [
      VirtualPort(
        number: 2, controller: 0, isSuperSpeed: false, state: .used, deviceID: 0x0001_0002,
        localBusID: BusID("3-1")),
      VirtualPort(number: 31, controller: 1, isSuperSpeed: false, state: .notAssigned),
    ]
    try tree.addVirtualHost(controllers: 2)
    try tree.setVirtualPorts(ports)
    #expect(try VirtualHost(sysfs: Sysfs(root: tree.sys)).ports() == ports)
  }
}
