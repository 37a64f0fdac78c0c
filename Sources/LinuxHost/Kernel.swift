// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

public import SystemPackage

/// What this machine says of itself: names and the kernel.
public struct Kernel: Sendable {
  private let sysfs: Sysfs
  private let procfs: FilePath

  /// Takes the trees of files to read.
  public init(sysfs: Sysfs, procfs: FilePath) {
    self.sysfs = sysfs
    self.procfs = procfs
  }

  /// The release of the running kernel, such as `6.1.0-56-amd64` (uname -r).
  public func release() throws(HostError) -> String {
    let path = procfs.appending("sys/kernel/osrelease")
    return String(
      try readText(path, limit: HostLimits.attributeLength).trimmingASCIISpace())
  }

  /// The host name of this machine, without a domain (uname -n).
  public func hostName() throws(HostError) -> String {
    let path = procfs.appending("sys/kernel/hostname")
    let name = try readText(path, limit: HostLimits.attributeLength).trimmingASCIISpace()
    return String(name.prefix { $0 != "." })
  }

  /// True where a module is loaded, or built in and has something to show; `-` and `_` are the same.
  public func isModuleLoaded(_ name: String) -> Bool {
    guard !name.isEmpty, !name.contains("/"), name != "..", name != "." else { return false }
    return sysfs.exists(FilePath("module").appending(String(name.map { $0 == "-" ? "_" : $0 })))
  }
}

/// The identity of this installation, the same over reboots and names (machine-id(5)).
public struct MachineID: Sendable, Hashable, CustomStringConvertible {
  /// 32 lower-case hexadecimal digits; confidential, so not for the network as they are.
  public let description: String

  /// Checks a text; `nil` unless it is 32 hexadecimal digits and not all zero.
  public init?(_ text: some StringProtocol) {
    guard text.utf8.count == 32, text.utf8.allSatisfy({ Character(UnicodeScalar($0)).isHexDigit }),
      text.contains(where: { $0 != "0" })
    else { return nil }
    description = text.lowercased()
  }

  /// Reads the file; `nil` where it holds no ID, as `uninitialized` during the first boot.
  ///
  /// Throws `HostError` where it cannot be read.
  public static func read(from path: FilePath) throws(HostError) -> MachineID? {
    MachineID(try readText(path, limit: HostLimits.attributeLength).trimmingASCIISpace())
  }
}
