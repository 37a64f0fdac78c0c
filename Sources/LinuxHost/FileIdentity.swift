// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import Glibc
internal import SystemPackage

/// Which file a path names, links not followed: two equal values are the same file.
struct FileIdentity: Equatable {
  let device: UInt64
  let inode: UInt64
  let isSocket: Bool

  /// `nil` where nothing is at `path`.
  init?(_ path: FilePath) {
    var status = stat()
    // SAFETY: the string lives for the call and lstat fills the structure.
    guard unsafe path.withCString({ unsafe lstat($0, &status) }) == 0 else { return nil }
    device = UInt64(status.st_dev)
    inode = UInt64(status.st_ino)
    isSocket = status.st_mode & S_IFMT == S_IFSOCK
  }
}
