// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

private import Glibc
internal import SystemPackage

extension HostSurvey {
  /// The rules of the kernel's packet filter, as far as they can be seen.
  public enum PacketRules: Sendable, Hashable {
    /// Nothing has asked the kernel for the filter since it started.
    case none
    /// There may be some, which only root is told.
    case hidden
    /// There may be some, and nft is not installed, which tells them.
    case untold
    /// nft does not tell them.
    case failed
    /// As `nft -j list ruleset` tells them.
    case listed([UInt8])
  }

  /// Bytes of a ruleset, and milliseconds that nft may take.
  private static let rulesLength = 4 << 20
  private static let rulesDeadline: Int32 = 5000

  /// Looks at the rules; nft is asked only where the kernel has its module already, since that would load it.
  static func packetRules(_ sysfs: Sysfs, _ usr: FilePath, isRoot: Bool) -> PacketRules {
    guard sysfs.exists("module/nf_tables") else { return .none }
    guard isRoot else { return .hidden }
    let program = usr.appending("sbin/nft")
    guard pathExists(program) else { return .untold }
    do throws(HostError) {
      return .listed(
        try ProgramOutput.read(
          program, ["-j", "list", "ruleset"], limit: rulesLength, milliseconds: rulesDeadline))
    } catch {
      return .failed
    }
  }

  /// True where rules of the older ip_tables may be in force, which nft does not tell.
  static func hasOlderRules(_ sysfs: Sysfs) -> Bool {
    sysfs.exists("module/iptable_filter") || sysfs.exists("module/ip6table_filter")
  }

  /// The network interfaces behind which other machines may be: those of devices, or else all but `lo`.
  static func interfaces(_ sysfs: Sysfs) -> [String] {
    let all = ((try? sysfs.entries(of: "class/net")) ?? []).filter { $0 != "lo" }
    let devices = all.filter {
      sysfs.exists(FilePath("class/net").appending($0).appending("device"))
    }
    return devices.isEmpty ? all : devices
  }
}
