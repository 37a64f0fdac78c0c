// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import LinuxHost
import SystemPackage
import TestSupport
import Testing

@Suite struct SysfsTests {
  @Test func `text is trimmed and bounded, bytes are raw`() throws {
    let tree = try SysfsTree()
    let sysfs = Sysfs(root: tree.sys)
    try tree.write(" 046d \n\0", to: "sys/a")
    #expect(try sysfs.text("a") == "046d")
    try tree.write([0x12, 0x01, 0x0A, 0x00, 0xFF, 0x20], to: "sys/b")
    #expect(try sysfs.bytes("b") == [0x12, 0x01, 0x0A, 0x00, 0xFF, 0x20])
    try tree.write(String(repeating: "x", count: 4096), to: "sys/full")
    #expect(try sysfs.text("full").utf8.count == 4096)
    try tree.write(String(repeating: "x", count: 4097), to: "sys/long")
    #expect(throws: HostError("read", tree.sys.appending("long").string, .fileTooLarge)) {
      try sysfs.text("long")
    }
  }

  @Test func `bytes that are no UTF-8 do not trap`() throws {
    let tree = try SysfsTree()
    try tree.write([0xFF, 0xC0, 0x41, 0x0A], to: "sys/a")
    #expect(try Sysfs(root: tree.sys).text("a").hasSuffix("A"))
  }

  @Test func `absent files, directories and errors name their path`() throws {
    let tree = try SysfsTree()
    let sysfs = Sysfs(root: tree.sys)
    #expect(throws: HostError("open", tree.sys.appending("none").string, .noSuchFileOrDirectory)) {
      try sysfs.text("none")
    }
    #expect(throws: HostError("read", tree.sys.appending("bus").string, .isDirectory)) {
      try sysfs.text("bus")
    }
    #expect(throws: HostError.self) { try sysfs.entries(of: "none") }
    #expect(throws: HostError.self) { try sysfs.linkTarget("bus") }
    #expect(!sysfs.exists("none"))
    #expect(sysfs.resolved("none") == nil)
    #expect(sysfs.linkName("none") == nil)
  }

  @Test func `a write adds nothing to the text`() throws {
    let tree = try SysfsTree()
    try tree.write("", to: "sys/match_busid")
    try Sysfs(root: tree.sys).write("add 1-1", to: "match_busid")
    #expect(try tree.read("sys/match_busid") == "add 1-1")
    #expect(throws: HostError("open", tree.sys.appending("none").string, .noSuchFileOrDirectory)) {
      try Sysfs(root: tree.sys).write("1", to: "none")
    }
  }

  @Test func `entries are sorted, links give their text, absolute paths stay`() throws {
    let tree = try SysfsTree()
    let sysfs = Sysfs(root: tree.sys)
    try tree.write("1", to: "sys/d/b")
    try tree.write("2", to: "sys/d/a")
    try tree.linkText("sys/d/driver", "../bus/usb/drivers/usb-storage")
    #expect(try sysfs.entries(of: "d") == ["a", "b", "driver"])
    #expect(try sysfs.linkTarget("d/driver") == "../bus/usb/drivers/usb-storage")
    #expect(sysfs.linkName("d/driver") == "usb-storage")
    #expect(try sysfs.text(tree.sys.appending("d/a")) == "2")
    #expect(sysfs.resolved("d") == tree.sys.appending("d"))
  }
}
