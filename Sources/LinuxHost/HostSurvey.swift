// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

private import CLinux
private import Glibc
public import SystemPackage

/// What the rest of this machine means for sharing and attaching: one look at files and processes.
///
/// What cannot be read, as much cannot without root, counts as not known.
public struct HostSurvey: Sendable, Hashable {
  /// A front end of the kernel's packet filter.
  public enum Firewall: Sendable, Hashable {
    /// ufw; whether its rules name the port, where they can be read.
    case ufw(opensPort: Bool?)
    /// firewalld, whose rules only itself tells.
    case firewalld
  }

  /// The kernel's release.
  public var release = ""
  /// True where vhci_hcd is there.
  public var hasVirtualHost = false
  /// False where vhci_hcd is neither there nor among the modules of this kernel.
  public var isVirtualHostInstalled = true
  /// The distribution (os-release(5), ID); empty where it does not say.
  public var distribution = ""
  /// Its ports.
  public var ports: [VirtualPort] = []
  /// The most memory of all transfers of programs together, in MiB; 0 for no limit, `nil` where the kernel
  /// has no usbcore.
  public var usbfsMemory: Int?
  /// True where avahi-daemon runs.
  public var hasAvahi = false
  /// True where it is installed.
  public var isAvahiInstalled = false
  /// True where systemd has the agent give everything back before this machine sleeps.
  public var givesBackBeforeSleep = false
  /// The names of all processes, as `comm` cuts them.
  public var programs: Set<String> = []
  /// The packet filter's front end, where there is one.
  public var firewall: Firewall?
  /// The packet filter's rules.
  public var packetRules = PacketRules.none
  /// True where rules of the older ip_tables may be in force too.
  public var hasOlderRules = false
  /// The network interfaces behind which other machines may be.
  public var interfaces: [String] = []
  /// True where somebody keeps the clock (adjtimex(2)).
  public var isClockKept = true

  /// Nothing is known.
  public init() {}

  /// Takes a look, which reads each process's name and, as root, asks nft: tens of ms.
  ///
  /// `port` is the one that is to be open; `isRoot` is what this process is, unless told otherwise.
  public init(
    port: UInt16, sysfs: FilePath = "/sys", procfs: FilePath = "/proc", etc: FilePath = "/etc",
    usr: FilePath = "/usr", isRoot: Bool? = nil
  ) {
    let tree = Sysfs(root: sysfs)
    release = (try? Kernel(sysfs: tree, procfs: procfs).release()) ?? ""
    let virtualHost = VirtualHost(sysfs: tree)
    hasVirtualHost = virtualHost.isPresent
    ports = (try? virtualHost.ports()) ?? []
    isVirtualHostInstalled =
      hasVirtualHost || HostSurvey.isInstalled("vhci-hcd", release: release, usr: usr)
    distribution = HostSurvey.distribution(etc)
    usbfsMemory = (try? tree.text("module/usbcore/parameters/usbfs_memory_mb")).flatMap { Int($0) }
    isAvahiInstalled = FileIdentity(usr.appending("sbin/avahi-daemon")) != nil
    givesBackBeforeSleep =
      FileIdentity(
        etc.appending("systemd/system/sleep.target.wants/devconfig-sleep.service")) != nil
    for name in (try? directoryEntries(procfs)) ?? [] where Int32(name) != nil {
      let comm = procfs.appending(name).appending("comm")
      guard let text = try? readText(comm, limit: HostLimits.processNameLength) else { continue }
      programs.insert(String(text.trimmingASCIISpace()))
    }
    hasAvahi = programs.contains("avahi-daemon")
    firewall = HostSurvey.firewall(programs, etc, port)
    packetRules = HostSurvey.packetRules(tree, usr, isRoot: isRoot ?? (geteuid() == 0))
    hasOlderRules = HostSurvey.hasOlderRules(tree)
    interfaces = HostSurvey.interfaces(tree)
    isClockKept = clinux_is_clock_kept() != 0
  }

  /// True where a module is among those of the kernel `release` (modules.dep(5)).
  private static func isInstalled(_ module: String, release: String, usr: FilePath) -> Bool {
    guard !release.isEmpty, !release.contains("/") else { return false }
    let list = usr.appending("lib/modules").appending(release).appending("modules.dep")
    guard let text = try? readText(list, limit: HostLimits.tableLength) else { return false }
    return text.contains("/\(module).ko")
  }

  private static func distribution(_ etc: FilePath) -> String {
    let text = try? readText(etc.appending("os-release"), limit: HostLimits.attributeLength)
    let line = text?.split(whereSeparator: \.isNewline).first { $0.hasPrefix("ID=") }
    return line.map { $0.dropFirst(3).filter { $0 != "\"" } } ?? ""
  }

  private static func firewall(
    _ programs: Set<String>, _ etc: FilePath, _ port: UInt16
  ) -> Firewall? {
    if programs.contains("firewalld") { return .firewalld }
    let settings = try? readText(etc.appending("ufw/ufw.conf"), limit: HostLimits.tableLength)
    let isOn = settings?.split(whereSeparator: \.isNewline).contains("ENABLED=yes")
    guard isOn == true else { return nil }
    let rules = try? readText(etc.appending("ufw/user.rules"), limit: HostLimits.tableLength)
    return .ufw(
      opensPort: rules.map { text in
        text.split(whereSeparator: \.isNewline).contains { line in
          let words = line.split(separator: " ")
          return words.contains("--dport") && words.contains("\(port)") && words.last == "ACCEPT"
        }
      })
  }
}
