// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import Glibc
import SystemPackage
import TestSupport
import Testing

@testable import LinuxHost

@Suite struct OpenNodesTests {
  /// This very process is left out, so a child has the node open.
  @Test func `the real table shows a program by the number of its node`() async throws {
    let pair = try ControlChannel.pair()
    let process = try SessionProcess.start(
      executable: "/bin/sleep", control: pair.takeSession(), arguments: ["600"])
    defer { process.kill() }
    let nodes = OpenNodes(procfs: "/proc", devfs: "/dev")
    // Standard input of a session process is /dev/null, character device 1:3.
    let holders = nodes.holders(
      of: DeviceNumber(kind: .character, major: 1, minor: 3), path: "/nowhere")
    #expect(holders.contains(OpenNodes.Holder(process: process.pid, program: "sleep")))
    #expect(!holders.contains { $0.process == getpid() })
    #expect(nodes.mounts.contains { $0.path == "/" })
  }

  @Test func `a fake table with holes does not trap`() throws {
    let tree = try SysfsTree()
    try tree.makeDirectory("proc/12")
    try tree.makeDirectory("proc/99999999999")
    try tree.makeDirectory("proc/-4")
    try tree.write("x", to: "proc/13/fd")
    try tree.linkText("proc/14/fd/0", tree.dev.appending("ttyUSB0").string)
    let nodes = OpenNodes(procfs: tree.proc, devfs: tree.dev)
    let path = tree.dev.appending("ttyUSB0").string
    #expect(
      nodes.holders(of: nil, path: path) == [
        OpenNodes.Holder(process: 14, program: "process 14")
      ])
  }

  @Test(arguments: [false, true])
  func `threads of the kernel are left out, but not the children of a container's process 2`(
    isContainer: Bool
  ) throws {
    let tree = try SysfsTree()
    let path = tree.dev.appending("ttyUSB0").string
    try tree.linkText("proc/14/fd/0", path)
    try tree.write("2 (kthreadd) S 0 0 0 0 -1", to: "proc/2/stat")
    try tree.write("3 14 15 \n", to: "proc/2/task/2/children")
    if isContainer { try tree.linkText("proc/2/exe", "/usr/bin/kthreadd") }
    let nodes = OpenNodes(procfs: tree.proc, devfs: tree.dev)
    #expect(nodes.holders(of: nil, path: path).isEmpty == !isContainer)
  }

  @Test(arguments: [
    ("a\\040b", "a b"), ("\\134", "\\"), ("\\04", "\\04"), ("\\", "\\"), ("\\999x", "\\999x"),
    ("\\400", "\\400"), ("", ""), ("\\303\\244", "ä"),
  ])
  func `escapes of the mount table`(text: String, plain: String) {
    #expect(unescaped(text) == plain)
  }

  @Test func `optional fields of a mount line may be any number`() {
    let table = MountTable(
      "1 2 8:17 / /a rw - ext4 /dev/x rw\n1 2 8:18 / /b rw shared:1 master:2 unbindable - xfs /dev/y rw\n"
    )
    #expect(table.mounts.map(\.path) == ["/a", "/b"])
    #expect(table.mounts.map(\.type) == ["ext4", "xfs"])
    #expect(table.mounts[1].number == DeviceNumber(kind: .block, major: 8, minor: 18))
  }

  @Test(arguments: ["", ":", "8", "8:", ":1", "8:1:1", "-8:1", "4294967296:0", "8 :1"])
  func `device numbers that are none`(text: String) {
    #expect(DeviceNumber(kind: .block, text) == nil)
  }
}
