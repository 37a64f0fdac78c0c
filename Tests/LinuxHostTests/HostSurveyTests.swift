// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import Glibc
import LinuxHost
import SystemPackage
import TestSupport
import Testing

@Suite struct HostSurveyTests {
  private func survey(_ tree: SysfsTree) -> HostSurvey {
    HostSurvey(
      port: 3240, sysfs: tree.sys, procfs: tree.proc, etc: tree.etc,
      usr: tree.root.appending("usr"), isRoot: true)
  }

  /// A program in the place of nft.
  private func addProgram(_ text: String, to tree: SysfsTree) throws {
    try tree.makeDirectory("sys/module/nf_tables")
    try tree.write("#!/bin/sh\n\(text)\n", to: "usr/sbin/nft")
    _ = tree.root.appending("usr/sbin/nft").withCString { chmod($0, 0o755) }
  }

  @Test func rulesAreThoseThatNftTells() throws {
    let tree = try SysfsTree()
    #expect(survey(tree).packetRules == .none)
    try tree.makeDirectory("sys/module/nf_tables")
    #expect(survey(tree).packetRules == .untold)
    try addProgram(#"echo "$@"; echo no >&2"#, to: tree)
    #expect(survey(tree).packetRules == .listed(Array("-j list ruleset\n".utf8)))
    let other = HostSurvey(
      port: 3240, sysfs: tree.sys, procfs: tree.proc, etc: tree.etc,
      usr: tree.root.appending("usr"), isRoot: false)
    #expect(other.packetRules == .hidden)
  }

  @Test(arguments: ["exit 1", "kill -9 $$", "exec head -c 5000000 /dev/zero"])
  func anNftThatFailsIsSaid(text: String) throws {
    let tree = try SysfsTree()
    try addProgram(text, to: tree)
    #expect(survey(tree).packetRules == .failed)
  }

  @Test func olderRulesAndInterfacesAreSeen() throws {
    let tree = try SysfsTree()
    for name in ["lo", "docker0"] { try tree.makeDirectory(FilePath("sys/class/net/\(name)")) }
    #expect(survey(tree).interfaces == ["docker0"])
    #expect(!survey(tree).hasOlderRules)
    try tree.makeDirectory("sys/class/net/eth0/device")
    try tree.makeDirectory("sys/module/iptable_filter")
    #expect(survey(tree).interfaces == ["eth0"])
    #expect(survey(tree).hasOlderRules)
  }

  @Test func `a machine without anything is nothing known, and no trap`() throws {
    var expected = HostSurvey()
    expected.isVirtualHostInstalled = false
    let seen = survey(try SysfsTree())
    // The clock is this machine's own.
    expected.isClockKept = seen.isClockKept
    #expect(seen == expected)
  }

  @Test func `a module that is installed is known before it is loaded`() throws {
    let tree = try SysfsTree()
    try tree.write("6.1.0-9-amd64\n", to: "proc/sys/kernel/osrelease")
    try tree.write("NAME=x\nID=\"ubuntu\"\n", to: "etc/os-release")
    #expect(!survey(tree).isVirtualHostInstalled)
    #expect(survey(tree).distribution == "ubuntu")
    try tree.write(
      "kernel/drivers/usb/usbip/vhci-hcd.ko: kernel/drivers/usb/usbip/usbip-core.ko\n",
      to: "usr/lib/modules/6.1.0-9-amd64/modules.dep")
    #expect(survey(tree).isVirtualHostInstalled)
  }

  @Test func `everything is read from its place`() throws {
    let tree = try SysfsTree()
    try tree.addVirtualHost(portsPerHub: 3)
    try tree.write("6.1.0-9-amd64\n", to: "proc/sys/kernel/osrelease")
    try tree.write("16\n", to: "sys/module/usbcore/parameters/usbfs_memory_mb")
    try tree.write("avahi-daemon\n", to: "proc/77/comm")
    try tree.write("", to: "usr/sbin/avahi-daemon")
    try tree.write("systemd\n", to: "proc/1/comm")
    try tree.write("", to: "etc/systemd/system/sleep.target.wants/devconfig-sleep.service")
    try tree.write("ModemManager\n", to: "proc/412/comm")
    try tree.write("not a process\n", to: "proc/irq/comm")
    let seen = survey(tree)
    #expect(seen.release == "6.1.0-9-amd64")
    #expect(seen.hasVirtualHost)
    #expect(seen.ports.count == 6)
    #expect(seen.usbfsMemory == 16)
    #expect(seen.hasAvahi && seen.isAvahiInstalled && seen.givesBackBeforeSleep)
    #expect(seen.programs == ["systemd", "ModemManager", "avahi-daemon"])
    #expect(seen.firewall == nil)
  }

  @Test(arguments: [
    ("ENABLED=yes\n", "-A ufw-user-input -p tcp --dport 3240 -j ACCEPT\n", true),
    ("# on\nENABLED=yes\n", "-A ufw-user-input -p tcp --dport 3241 -j ACCEPT\n", false),
    ("ENABLED=yes\n", "-A ufw-user-input -p tcp --dport 3240 -j DROP\n", false),
    ("ENABLED=yes\n", nil, nil), ("ENABLED=no\n", "", nil),
  ])
  func `ufw's rules are read where they can be`(
    settings: String, rules: String?, opens: Bool?
  ) throws {
    let tree = try SysfsTree()
    try tree.write(settings, to: "etc/ufw/ufw.conf")
    if let rules { try tree.write(rules, to: "etc/ufw/user.rules") }
    let isOn = settings.contains("yes")
    #expect(survey(tree).firewall == (isOn ? .ufw(opensPort: opens) : nil))
  }

  @Test func `firewalld is known by its process`() throws {
    let tree = try SysfsTree()
    try tree.write("firewalld\n", to: "proc/77/comm")
    #expect(survey(tree).firewall == .firewalld)
  }

  @Test func `a port that nobody listens on has no round trip`() throws {
    let closed = try #require(NetworkAddress(numeric: "127.0.0.1", port: 1))
    let error = #expect(throws: HostError.self) { try RoundTrip.measure(closed) }
    #expect(error?.code == .connectionRefused)
  }
}
