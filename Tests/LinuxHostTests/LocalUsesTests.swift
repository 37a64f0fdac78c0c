// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import LinuxHost
import SystemPackage
import TestSupport
import Testing
import USBModel

@Suite struct LocalUsesTests {
  let tree: SysfsTree
  let device: Device

  init() throws {
    tree = try SysfsTree()
    device = try USBTreeTests.stick()
    try tree.add(device)
  }

  private func uses() -> [LocalUse] {
    let uses = LocalUses(sysfs: Sysfs(root: tree.sys), procfs: tree.proc, devfs: tree.dev)
    return uses.uses(of: device, openNodes: OpenNodes(procfs: tree.proc, devfs: tree.dev))
  }

  private func node(_ name: String) -> String { tree.dev.appending(name).string }

  @Test func `a device that nobody uses has no uses`() throws {
    try tree.addDisk("sdb", partitions: 2, below: device.busID)
    try tree.addMount(number: "8:1", path: "/", source: "/dev/sda1")
    try tree.setSwaps(["/dev/sda2"])
    try tree.addProcess(1, "systemd", links: ["/dev/null", "socket:[12]"])
    #expect(uses() == [])
  }

  @Test func `a mounted partition, its path unescaped`() throws {
    try tree.addDisk("sdb", partitions: 2, below: device.busID)
    try tree.addMount(number: "8:18", path: "/media/My Stick", source: "/dev/sdb2")
    #expect(uses() == [.mounted(node: node("sdb2"), path: "/media/My Stick")])
  }

  @Test func `a mounted whole disk and two mounts of one`() throws {
    try tree.addDisk("sdb", below: device.busID)
    try tree.addMount(number: "8:16", path: "/b", source: "/dev/sdb")
    try tree.addMount(number: "8:16", path: "/a", source: "/dev/sdb")
    #expect(
      uses() == [
        .mounted(node: node("sdb"), path: "/a"), .mounted(node: node("sdb"), path: "/b"),
      ])
  }

  @Test func `a mount in another mount namespace`() throws {
    try tree.addDisk("sdb", partitions: 1, below: device.busID)
    try tree.addProcess(700, "podman")
    try tree.linkText("proc/700/ns/mnt", "mnt:[4026532999]")
    try tree.addMount(number: "8:17", path: "/data", source: "/dev/sdb1", process: "700")
    #expect(uses() == [.mounted(node: node("sdb1"), path: "/data")])
  }

  @Test func `swap on a partition, and on a logical volume of it`() throws {
    try tree.addDisk("sdb", partitions: 1, below: device.busID)
    try tree.setSwaps([node("sdb1")])
    #expect(uses() == [.swap(node: node("sdb1"))])
    try tree.addVirtualDisk("dm-3", number: "254:3", on: ["sdb1"])
    try tree.linkText("dev/mapper/vg-swap", "../dm-3")
    try tree.setSwaps(["/dev/mapper/vg-swap"])
    #expect(
      uses() == [.swap(node: node("dm-3")), .held(node: node("sdb1"), holder: "dm-3")])
  }

  @Test func `holders of holders: a LUKS volume on a raid, mounted`() throws {
    try tree.addDisk("sdb", partitions: 1, below: device.busID)
    try tree.addVirtualDisk("md0", number: "9:0", on: ["sdb1"])
    try tree.addVirtualDisk("dm-0", number: "254:0", on: ["md0"])
    try tree.addMount(number: "254:0", path: "/srv", source: "/dev/mapper/srv")
    #expect(
      uses() == [
        .mounted(node: node("dm-0"), path: "/srv"), .held(node: node("sdb1"), holder: "md0"),
        .held(node: node("md0"), holder: "dm-0"),
      ])
  }

  @Test func `holders in a circle end`() throws {
    try tree.addDisk("sdb", below: device.busID)
    try tree.addVirtualDisk("dm-0", number: "254:0", on: ["sdb"])
    try tree.link(
      "sys/devices/virtual/block/dm-0/holders/dm-0", to: "sys/devices/virtual/block/dm-0")
    #expect(
      uses() == [
        .held(node: node("sdb"), holder: "dm-0"), .held(node: node("dm-0"), holder: "dm-0"),
      ])
  }

  @Test func `a loop device on the disk itself`() throws {
    try tree.addDisk("sdb", below: device.busID)
    try tree.addVirtualDisk("loop0", number: "7:0")
    try tree.write("/dev/sdb\n", to: "sys/devices/virtual/block/loop0/loop/backing_file")
    try tree.addMount(number: "7:0", path: "/mnt", source: "/dev/loop0")
    #expect(
      uses() == [
        .mounted(node: node("loop0"), path: "/mnt"), .held(node: node("sdb"), holder: "loop0"),
      ])
  }

  @Test func `btrfs, which shows no device number`() throws {
    try tree.addDisk("sdb", partitions: 1, below: device.busID)
    try tree.addMount(number: "0:45", path: "/pool", source: "/dev/sdb1", type: "btrfs")
    #expect(uses() == [.mounted(node: node("sdb1"), path: "/pool")])
  }

  @Test func `btrfs on several disks, mounted by the name of another one`() throws {
    try tree.addDisk("sdb", partitions: 1, below: device.busID)
    try tree.addVirtualDisk("sda5", number: "8:5")
    for name in ["sda5", "sdb1"] {
      try tree.linkText(
        FilePath("sys/fs/btrfs/6b5f-11/devices").appending(name), "../../../../block/\(name)")
    }
    try tree.addMount(number: "0:45", path: "/pool", source: "/dev/sda5", type: "btrfs")
    #expect(uses() == [.mounted(node: node("sdb1"), path: "/pool")])
  }

  @Test func `hostile tables do not trap`() throws {
    try tree.addDisk("sdb", partitions: 1, below: device.busID)
    try tree.write(
      "36 35 8:17\n- - - - - - -\n36 35 8:17 / /x rw -\n36 35 99999999999:1 / /x rw - a b c\n\u{0}\n\\\n",
      to: "proc/self/mountinfo")
    try tree.write("Filename\n\n \\04\n\\777\n/dev/sdb1", to: "proc/swaps")
    try tree.write("S: Sysfs=\nH: Handlers=\nH: \n\n\n", to: "proc/bus/input/devices")
    #expect(uses() == [.swap(node: node("sdb1"))])
  }

  @Test func `a keyboard, while somebody sits on a terminal`() throws {
    try tree.addInput(
      5, keys: SysfsTree.keyboardKeys, handlers: "sysrq kbd event5 leds", below: device.busID)
    #expect(uses() == [])
    try tree.addProcess(801, "agetty", open: ["tty1"])
    #expect(uses() == [.keyboard(node: node("input/event5"), owner: "agetty on tty1")])
    try tree.addProcess(900, "Xorg", open: ["tty7"])
    try tree.write("tty7\n", to: "sys/class/tty/tty0/active")
    #expect(uses() == [.keyboard(node: node("input/event5"), owner: "Xorg on tty7")])
  }

  @Test func `logind on a terminal does not make a keyboard used, a serial line neither`() throws {
    try tree.addInput(
      5, keys: SysfsTree.keyboardKeys, handlers: "sysrq kbd event5", below: device.busID)
    try tree.addProcess(410, "systemd-logind", open: ["tty1", "tty6"])
    try tree.addProcess(411, "agetty", open: ["ttyS0"])
    #expect(uses() == [])
  }

  @Test(arguments: [
    (SysfsTree.headsetKeys, "kbd event5", false),
    (SysfsTree.keyboardKeys, "event5", false),
    (SysfsTree.keyboardKeys, nil, true),
    ("1f0000 0 0 0 0", "mouse0 event5", false),
    ("", "kbd event5", false),
    ("zz -1 fffffffffffffffff", "kbd event5", false),
    ("4", "kbd event5", true),
  ])
  func `what counts as a keyboard`(keys: String, handlers: String?, isKeyboard: Bool) throws {
    try tree.addInput(5, keys: keys, handlers: handlers, below: device.busID)
    try tree.addProcess(801, "agetty", open: ["tty1"])
    #expect(uses().isEmpty != isKeyboard)
  }

  @Test(arguments: [(true, true, true), (true, false, false), (false, true, false)])
  func `a network interface counts while up and with carrier`(up: Bool, carrier: Bool, used: Bool)
    throws
  {
    try tree.addNetworkInterface("enx00", isUp: up, hasCarrier: carrier, below: device.busID)
    #expect(uses() == (used ? [.network(interface: "enx00")] : []))
  }

  @Test func `an open node names program and process, watchers do not count`() throws {
    try tree.addNode(subsystem: "tty", "ttyUSB0", number: "188:0", below: device.busID)
    try tree.addNode(
      subsystem: "hidraw", "hidraw3", number: "240:3", below: device.busID, interface: 1)
    try tree.addProcess(812, "minicom", open: ["ttyUSB0"])
    try tree.addProcess(410, "systemd-logind", open: ["hidraw3"])
    try tree.addProcess(411, "(udev-worker)", open: ["ttyUSB0"])
    try tree.addProcess(412, "devconfig-sessi", open: ["bus/usb/002/005"])
    #expect(uses() == [.open(node: node("ttyUSB0"), program: "minicom", process: 812)])
  }

  @Test func `the usbfs node counts, and a process with a node open twice counts once`() throws {
    try tree.addProcess(
      77, "pcscd", open: ["bus/usb/002/005", "bus/usb/002/005", "bus/usb/002/006"])
    #expect(uses() == [.open(node: node("bus/usb/002/005"), program: "pcscd", process: 77)])
  }

  @Test func `devices behind a hub are not the hub's`() throws {
    let hub = try #require(BusID("1-4"))
    var hubDevice = device
    hubDevice.busID = hub
    hubDevice.interfaces = []
    try tree.add(hubDevice)
    var child = device
    child.busID = try #require(BusID("1-4.1"))
    try tree.add(child)
    try tree.addDisk("sdc", index: 2, below: child.busID)
    try tree.addMount(number: "8:32", path: "/c", source: "/dev/sdc")
    let uses = LocalUses(sysfs: Sysfs(root: tree.sys), procfs: tree.proc, devfs: tree.dev)
    let open = OpenNodes(procfs: tree.proc, devfs: tree.dev)
    #expect(uses.uses(of: hubDevice, openNodes: open) == [])
    #expect(
      uses.uses(of: child, openNodes: open) == [.mounted(node: node("sdc"), path: "/c")])
  }

  @Test func `a device that is gone has no uses, and its disk no claims`() throws {
    try tree.addDisk("sdb", below: device.busID)
    let uses = LocalUses(sysfs: Sysfs(root: tree.sys), procfs: tree.proc, devfs: tree.dev)
    #expect(uses.claims(on: device) == [])
    try tree.remove(device.busID)
    #expect(self.uses() == [])
    #expect(uses.claims(on: device) == [])
  }
}
