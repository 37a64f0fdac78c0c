// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

private import Glibc
public import SystemPackage

/// The kernel's device tree as files (Documentation/filesystems/sysfs.rst), below an injected root.
///
/// Paths are relative to the root; an absolute path is taken as it is. Reading may wait for the
/// kernel's lock of a device: keep it off the cooperative pool (`BlockingWork`).
public struct Sysfs: Sendable {
  /// Where sysfs is mounted: `/sys`, or a directory of a test.
  public let root: FilePath

  /// Takes the mount point.
  public init(root: FilePath) {
    self.root = root
  }

  /// The absolute path for `path`.
  public func absolute(_ path: FilePath) -> FilePath {
    root.pushing(path)
  }

  /// Reads a text attribute without white space around it.
  ///
  /// Throws `HostError`: the kernel's code, or `EFBIG` beyond `HostLimits.attributeLength` bytes.
  public func text(_ path: FilePath) throws(HostError) -> String {
    let text = try readText(absolute(path), limit: HostLimits.attributeLength)
    return String(text.trimmingASCIISpace())
  }

  /// Reads a binary attribute, `HostLimits.descriptorsLength` bytes at most.
  public func bytes(_ path: FilePath) throws(HostError) -> [UInt8] {
    try readFile(absolute(path), limit: HostLimits.descriptorsLength)
  }

  /// Writes `text` to an attribute with exactly one write(2) and nothing added.
  ///
  /// A newline would be part of the value for some drivers (usbip-host's `match_busid`). May block
  /// in the kernel for seconds. Throws `HostError` with the driver's code, `EIO` for a short write.
  public func write(_ text: String, to path: FilePath) throws(HostError) {
    let path = absolute(path)
    let file = try openFile(path, O_WRONLY)
    let bytes = Array(text.utf8)
    let result = unsafe bytes.withUnsafeBytes { buffer in
      // SAFETY: write reads `count` bytes of the buffer.
      retryingOnInterrupt {
        unsafe Glibc.write(file.rawValue, buffer.baseAddress, buffer.count)
      }
    }
    switch result {
    case .success(bytes.count): return
    case .success: throw HostError("write", path.string, .ioError)
    case .failure(let code): throw HostError("write", path.string, code)
    }
  }

  /// The names in a directory, sorted.
  public func entries(of path: FilePath) throws(HostError) -> [String] {
    try directoryEntries(absolute(path))
  }

  /// The text of a symbolic link, usually relative.
  public func linkTarget(_ path: FilePath) throws(HostError) -> FilePath {
    FilePath(try linkText(absolute(path)))
  }

  /// The last name of a link's target, as in `driver` or `subsystem`; `nil` where there is no link.
  public func linkName(_ path: FilePath) -> String? {
    (try? linkTarget(path))?.lastComponent?.string
  }

  /// True where something is at `path`.
  public func exists(_ path: FilePath) -> Bool {
    pathExists(absolute(path))
  }

  /// The absolute path without symbolic links; `nil` where there is nothing.
  public func resolved(_ path: FilePath) -> FilePath? {
    resolvedPath(absolute(path))
  }
}
