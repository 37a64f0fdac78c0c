// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

public import LinuxHost
internal import SystemPackage
private import USBModel

extension SysfsTree {
  /// Adds a line to /proc/self/mountinfo, or to another process's; spaces in paths are escaped.
  public func addMount(
    number: String, path: String, source: String, type: String = "ext4", process: String = "self"
  ) throws {
    let file = FilePath("proc").appending(process).appending("mountinfo")
    let before = exists(file) ? try read(file) : ""
    func escaped(_ text: String) -> String {
      text.map { $0 == " " ? "\\040" : String($0) }.joined()
    }
    try write(
      before
        + "36 35 \(number) / \(escaped(path)) rw,noatime shared:1 - \(type) \(escaped(source)) rw\n",
      to: file)
  }

  /// Writes /proc/swaps with these files.
  public func setSwaps(_ files: [String]) throws {
    let lines = files.map { "\($0)                               partition\t2097148\t\t0\t\t-2\n" }
    try write(
      "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n" + lines.joined(), to: "proc/swaps")
  }

  /// Makes a process that has files of the fake /dev open, such as `ttyUSB0`.
  ///
  /// `links` are further descriptors by the text of their links.
  public func addProcess(
    _ process: Int32, _ program: String, open names: [String] = [], links: [String] = []
  ) throws {
    let directory = FilePath("proc/\(process)")
    try write("\(program)\n", to: directory.appending("comm"))
    try makeDirectory(directory.appending("fd"))
    try linkText(directory.appending("ns/mnt"), "mnt:[4026531841]")
    var number = 3
    for name in names {
      try linkText(directory.appending("fd/\(number)"), dev.appending(name).string)
      number += 1
    }
    for text in links {
      try linkText(directory.appending("fd/\(number)"), text)
      number += 1
    }
  }

  /// Makes the control files of vhci_hcd with all ports free.
  public func addVirtualHost(controllers: Int = 1, portsPerHub: Int = 15) throws {
    let directory = SysfsTree.virtualController
    try write("", to: directory.appending("attach"))
    try write("", to: directory.appending("detach"))
    try write("\(controllers * portsPerHub * 2)\n", to: directory.appending("nports"))
    let ports = (0..<controllers * portsPerHub * 2).map { number in
      VirtualPort(
        number: number, controller: number / (portsPerHub * 2),
        isSuperSpeed: number % (portsPerHub * 2) >= portsPerHub, state: .free)
    }
    try setVirtualPorts(ports)
  }

  /// Writes the status files of vhci_hcd for exactly these ports.
  public func setVirtualPorts(_ ports: [VirtualPort]) throws {
    for (controller, ports) in Dictionary(grouping: ports, by: \.controller) {
      let name = controller == 0 ? "status" : "status.\(controller)"
      try write(
        SysfsTree.statusText(ports), to: SysfsTree.virtualController.appending(name))
    }
  }

  /// The text of a status file, as vhci_sysfs.c prints it.
  public static func statusText(_ ports: [VirtualPort]) -> String {
    func padded(_ text: String, _ width: Int) -> String {
      String(repeating: "0", count: max(0, width - text.count)) + text
    }
    let lines = ports.map { port in
      let hub = port.isSuperSpeed ? "ss" : "hs"
      let state: Int
      switch port.state {
      case .free: state = 4
      case .notAssigned: state = 5
      case .used: state = 6
      case .error: state = 7
      }
      let isUsed = port.state == .used
      let speed = isUsed ? (port.isSuperSpeed ? "005" : "003") : "000"
      let device = padded(String(isUsed ? port.deviceID : 0, radix: 16), 8)
      return "\(hub)  \(padded(String(port.number), 4)) \(padded(String(state), 3)) \(speed) "
        + "\(device) \(isUsed ? "000004" : "000000") \(port.localBusID?.description ?? "0-0")\n"
    }
    return "hub port sta spd dev      sockfd local_busid\n" + lines.joined()
  }

  /// What was last written to vhci_hcd's `attach`; empty before.
  public func takeAttach() throws -> String {
    defer { try? write("", to: SysfsTree.virtualController.appending("attach")) }
    return try read(SysfsTree.virtualController.appending("attach"))
  }

  /// What was last written to vhci_hcd's `detach`; empty before.
  public func takeDetach() throws -> String {
    defer { try? write("", to: SysfsTree.virtualController.appending("detach")) }
    return try read(SysfsTree.virtualController.appending("detach"))
  }
}
