// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

private import Glibc
public import SystemPackage

/// A small file that is either the old content or the new one, whatever happens (rename(2)).
///
/// For one writer at a time.
public struct StateFile: Sendable {
  /// Where it is.
  public let path: FilePath
  /// The most bytes that are read.
  public let limit: Int
  private let mode: UInt32

  /// Takes the path; reading refuses a file of more than `limit` bytes.
  ///
  /// What is written has `mode`, less the process's mask: only its owner may read it unless told otherwise.
  public init(path: FilePath, limit: Int = 1 << 20, mode: UInt32 = 0o600) {
    self.path = path
    self.limit = limit
    self.mode = mode
  }

  /// The content; `nil` where there is no such file yet.
  ///
  /// Throws `HostError`: `EFBIG` beyond the limit, or the kernel's code.
  public func read() throws(HostError) -> [UInt8]? {
    do throws(HostError) {
      return try readFile(path, limit: limit)
    } catch  where error.code == .noSuchFileOrDirectory {
      return nil
    }
  }

  /// Replaces the content, on disk when this returns.
  ///
  /// Throws `HostError`, and the old content is then still there: `ENOSPC`, `EROFS`, `EACCES`.
  public func write(_ bytes: [UInt8]) throws(HostError) {
    guard let name = path.lastComponent?.string else {
      throw HostError("write", path.string, .invalidArgument)
    }
    let directory = path.removingLastComponent()
    let temporary = directory.appending(".\(name).new")
    do throws(HostError) {
      try fill(temporary, bytes)
    } catch {
      // SAFETY: the string is NUL-terminated and lives for the call.
      _ = unsafe temporary.withCString { unsafe unlink($0) }
      throw error
    }
    // SAFETY: as above.
    let result = unsafe temporary.withCString { from in
      unsafe path.withCString { unsafe rename(from, $0) }
    }
    guard result == 0 else { throw HostError("replace", path.string, .current) }
    // The new name is a change of the directory, which has its own place on disk.
    let folder = try openFile(
      directory.isEmpty ? "." : directory, O_RDONLY | O_DIRECTORY)
    guard fsync(folder.rawValue) == 0 else { throw HostError("write", path.string, .current) }
  }

  private func fill(_ temporary: FilePath, _ bytes: [UInt8]) throws(HostError) {
    let file = try openFile(
      temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode: mode_t(mode), operation: "create")
    var written = 0
    while written < bytes.count {
      let result = unsafe bytes.withUnsafeBytes { buffer in
        let rest = unsafe UnsafeRawBufferPointer(rebasing: buffer[written...])
        // SAFETY: write reads `count` bytes of the rest.
        return retryingOnInterrupt {
          unsafe Glibc.write(file.rawValue, rest.baseAddress, rest.count)
        }
      }
      switch result {
      case .success(let count): written += count
      case .failure(let code): throw HostError("write", temporary.string, code)
      }
    }
    guard fsync(file.rawValue) == 0 else { throw HostError("write", temporary.string, .current) }
  }
}
