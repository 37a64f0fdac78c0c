// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

private import CLinux
private import Glibc
public import SystemPackage

/// A mounted file system.
public enum FileSystem {
  /// Writes everything of the file system that `path` is on to its device, and waits for that.
  ///
  /// Takes as long as the device does, for ever where that hangs: call it on a thread of its own. Throws
  /// `HostError`: `ENOENT` where the mount is not seen from here, `EIO`, `ENOSPC`.
  public static func synchronize(_ path: FilePath) throws(HostError) {
    let directory = try openFile(path, O_RDONLY)
    guard clinux_sync_file_system(directory.rawValue) == 0 else {
      throw HostError("synchronize", path.string, .current)
    }
  }

  /// Writes everything of all file systems to their devices, and waits for that; takes as long as the
  /// slowest of them.
  public static func synchronizeAll() { Glibc.sync() }
}
