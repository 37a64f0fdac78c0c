// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import Glibc
import LinuxHost
import SystemPackage
import TestSupport
import Testing
import USBModel

@Suite struct FilesTests {
  let tree: SysfsTree

  init() throws {
    tree = try SysfsTree()
  }

  @Test func `a state file comes back as written, for its owner only`() throws {
    let file = StateFile(path: tree.run.appending("ids.json"))
    #expect(try file.read() == nil)
    try file.write([1, 2, 3])
    #expect(try file.read() == [1, 2, 3])
    try file.write([])
    #expect(try file.read() == [])
    var status = stat()
    #expect(file.path.withCString { stat($0, &status) } == 0)
    #expect(status.st_mode & 0o777 == 0o600)
    #expect(!tree.exists("run/.ids.json.new"))
  }

  @Test func `a reader sees the old content or the new one, never a part`() throws {
    let file = StateFile(path: tree.run.appending("state"))
    try file.write([UInt8](repeating: 1, count: 100_000))
    let reader = try FileDescriptor.open(file.path, .readOnly)
    defer { try? reader.close() }
    try file.write([2])
    var chunk = [UInt8](repeating: 0, count: 200_000)
    let count = try chunk.withUnsafeMutableBytes { try reader.read(into: $0) }
    #expect(count == 100_000)
    #expect(try file.read() == [2])
  }

  @Test func `a file beyond the limit, and a directory in its place, are errors`() throws {
    let file = StateFile(path: tree.run.appending("state"), limit: 4)
    try file.write([1, 2, 3, 4])
    #expect(try file.read() == [1, 2, 3, 4])
    try file.write([1, 2, 3, 4, 5])
    #expect(throws: HostError("read", file.path.string, .fileTooLarge)) { try file.read() }
    try tree.makeDirectory("run/folder")
    #expect(throws: HostError.self) {
      try StateFile(path: tree.run.appending("folder")).write([1])
    }
    #expect(throws: HostError.self) {
      try StateFile(path: tree.run.appending("none/state")).write([1])
    }
  }

  @Test func `a link in place of the temporary file is not followed`() throws {
    try tree.write("precious", to: "etc/shadow")
    try tree.link("run/.state.new", to: "etc/shadow")
    #expect(throws: HostError.self) {
      try StateFile(path: tree.run.appending("state")).write([1])
    }
    #expect(try tree.read("etc/shadow") == "precious")
  }

  @Test func `machine IDs`() throws {
    let path = tree.etc.appending("machine-id")
    #expect(throws: HostError.self) { try MachineID.read(from: path) }
    try tree.write("0123456789ABCDEF0123456789abcdef\n", to: "etc/machine-id")
    #expect(try MachineID.read(from: path)?.description == "0123456789abcdef0123456789abcdef")
    for text in ["uninitialized\n", "", "0123", String(repeating: "0", count: 32), "\u{FF}"] {
      try tree.write(text, to: "etc/machine-id")
      #expect(try MachineID.read(from: path) == nil)
    }
  }

  @Test func `names and modules of the kernel`() throws {
    try tree.write("6.1.0-56-amd64\n", to: "proc/sys/kernel/osrelease")
    try tree.write("alpha.example.org\n", to: "proc/sys/kernel/hostname")
    try tree.makeDirectory("sys/module/vhci_hcd")
    let kernel = Kernel(sysfs: Sysfs(root: tree.sys), procfs: tree.proc)
    #expect(try kernel.release() == "6.1.0-56-amd64")
    #expect(try kernel.hostName() == "alpha")
    #expect(kernel.isModuleLoaded("vhci-hcd"))
    #expect(kernel.isModuleLoaded("vhci_hcd"))
    #expect(!kernel.isModuleLoaded("usbip_host"))
    #expect(!kernel.isModuleLoaded(""))
    #expect(!kernel.isModuleLoaded(".."))
    #expect(!kernel.isModuleLoaded("../bus"))
  }

  @Test func `a usbfs node has three digits and is opened by number`() throws {
    try tree.write("", to: "dev/bus/usb/002/005")
    let path = USBDeviceNode.path(busNumber: 2, deviceNumber: 5, devfs: tree.dev)
    #expect(path == tree.dev.appending("bus/usb/002/005"))
    #expect(
      USBDeviceNode.path(busNumber: 1000, deviceNumber: 12, devfs: "/dev")
        == "/dev/bus/usb/1000/012")
    let number = try USBDeviceNode.open(busNumber: 2, deviceNumber: 5, devfs: tree.dev).release()
    #expect(OpenDescriptors.isCloseOnExec(number))
    close(number)
    #expect(
      throws: HostError(
        "open USB device", tree.dev.appending("bus/usb/002/006").string, .noSuchFileOrDirectory)
    ) {
      _ = try USBDeviceNode.open(busNumber: 2, deviceNumber: 6, devfs: tree.dev).release()
    }
  }

  @Test func `a hub port finds the hub, and a hub that is none refuses`() throws {
    let device = try USBTreeTests.stick("2-1")
    try tree.add(device)
    let sysfs = Sysfs(root: tree.sys)
    // The fake node of the root hub is a plain file, which has no such ioctl.
    #expect(throws: HostError("claim hub port of", "2-1", .inappropriateIOCTLForDevice)) {
      _ = try HubPort.claim(for: device.busID, sysfs: sysfs, devfs: tree.dev).share()
    }
    tree.remove("dev/bus/usb/002/001")
    #expect(
      throws: HostError(
        "open USB device", tree.dev.appending("bus/usb/002/001").string, .noSuchFileOrDirectory)
    ) {
      _ = try HubPort.claim(for: device.busID, sysfs: sysfs, devfs: tree.dev).share()
    }
  }

  @Test func `only a USB node has privileges to drop`() throws {
    let node = OwnedDescriptor(adopting: open("/dev/null", O_RDWR | O_CLOEXEC))
    #expect(
      throws: HostError("drop privileges on USB device", "", .inappropriateIOCTLForDevice)
    ) {
      try USBDeviceNode.dropPrivileges(node)
    }
  }

  @Test func `an empty directory is made once and stays empty`() throws {
    let tree = try SysfsTree()
    let path = tree.root.appending("empty")
    try EmptyDirectory.make(path)
    try EmptyDirectory.make(path)
    var status = stat()
    #expect(path.withCString { stat($0, &status) } == 0)
    #expect(status.st_mode == S_IFDIR | 0o500)
    try tree.makeDirectory("full")
    try tree.write("x", to: "full/file")
    #expect(throws: HostError.self) { try EmptyDirectory.make(tree.root.appending("full")) }
    try tree.write("x", to: "file")
    #expect(throws: HostError.self) { try EmptyDirectory.make(tree.root.appending("file")) }
  }
}
