// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

private import Glibc
public import SystemPackage

/// A directory with nothing in it, for a process that shall see no file.
public enum EmptyDirectory {
  /// Makes it, or checks the one that is there; nobody but its owner may even look into it.
  ///
  /// Throws `HostError` on `path`: `ENOTEMPTY`, `ENOTDIR`, or what the kernel answered.
  public static func make(_ path: FilePath) throws(HostError) {
    // SAFETY: the string lives for the calls.
    let failure = unsafe path.withCString { path -> Errno? in
      if unsafe mkdir(path, ownerOnly) != 0, errno != EEXIST { return .current }
      if unsafe chmod(path, ownerOnly) != 0 { return .current }
      return unsafe contentFailure(path)
    }
    if let failure { throw HostError("make empty directory", path.string, failure) }
  }

  private static func contentFailure(_ path: UnsafePointer<CChar>) -> Errno? {
    guard let directory = unsafe opendir(path) else { return .current }
    defer { unsafe _ = closedir(directory) }
    var count = 0
    // SAFETY: the stream is open until the end of this function; the entries are only counted.
    while unsafe readdir(directory) != nil { count += 1 }
    // "." and ".."
    return count > 2 ? .directoryNotEmpty : nil
  }

  private static let ownerOnly: mode_t = 0o500
}
