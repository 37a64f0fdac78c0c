// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import Glibc
internal import SystemPackage

/// Opens a path; the descriptor is close-on-exec and never becomes a controlling terminal.
func openFile(
  _ path: FilePath, _ flags: Int32, mode: mode_t = 0, operation: StaticString = "open"
) throws(HostError) -> OwnedDescriptor {
  let result = unsafe path.withCString { text in
    // SAFETY: the string is NUL-terminated and lives for the call.
    retryingOnInterrupt { unsafe open(text, flags | O_CLOEXEC | O_NOCTTY, mode) }
  }
  switch result {
  case .success(let number): return OwnedDescriptor(adopting: number)
  case .failure(let code): throw HostError(operation, path.string, code)
  }
}

/// Reads a whole file of `limit` bytes at most.
///
/// Throws `HostError` with the kernel's code, or `EFBIG` where the file is longer.
func readFile(_ path: FilePath, limit: Int) throws(HostError) -> [UInt8] {
  try readFile(try openFile(path, O_RDONLY), path, limit: limit)
}

/// Reads what is left of an open file, `limit` bytes at most; `path` is for errors.
func readFile(
  _ file: borrowing OwnedDescriptor, _ path: FilePath, limit: Int
) throws(HostError) -> [UInt8] {
  var content: [UInt8] = []
  // One byte more than the limit tells a full file from one that is too long.
  var chunk = [UInt8](repeating: 0, count: min(limit + 1, 64 << 10))
  while true {
    let wanted = min(chunk.count, limit + 1 - content.count)
    let result = unsafe chunk.withUnsafeMutableBytes { buffer in
      // SAFETY: `wanted` is at most the buffer's count.
      retryingOnInterrupt { unsafe read(file.rawValue, buffer.baseAddress, wanted) }
    }
    switch result {
    case .success(0): return content
    case .success(let count): content.append(contentsOf: chunk.prefix(count))
    case .failure(let code): throw HostError("read", path.string, code)
    }
    guard content.count <= limit else { throw HostError("read", path.string, .fileTooLarge) }
  }
}

/// Reads a text file of `limit` bytes at most; bytes that are no UTF-8 become U+FFFD.
func readText(_ path: FilePath, limit: Int) throws(HostError) -> String {
  String(decoding: try readFile(path, limit: limit), as: UTF8.self)
}

/// The names in a directory, sorted, without `.` and `..`; `HostLimits.directoryEntries` at most.
func directoryEntries(_ path: FilePath) throws(HostError) -> [String] {
  // SAFETY: the string lives for the call; the stream is closed below and used by nobody else.
  guard let stream = unsafe path.withCString({ unsafe opendir($0) }) else {
    throw HostError("list", path.string, .current)
  }
  defer { unsafe closedir(stream) }
  var names: [String] = []
  // SAFETY: an entry is valid until the next readdir, and d_name is NUL-terminated.
  while names.count < HostLimits.directoryEntries, let entry = unsafe readdir(stream) {
    let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { field in
      unsafe field.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
    }
    if name != ".", name != ".." { names.append(name) }
  }
  return names.sorted()
}

/// The text of a symbolic link.
func linkText(_ path: FilePath) throws(HostError) -> String {
  // PATH_MAX bytes hold every link text the kernel gives.
  var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
  let length = unsafe path.withCString { text in
    // SAFETY: readlink writes at most `count` bytes into the buffer.
    unsafe buffer.withUnsafeMutableBufferPointer { bytes in
      unsafe bytes.withMemoryRebound(to: CChar.self) { field in
        guard let start = field.baseAddress else { return -1 }
        return unsafe readlink(text, start, field.count)
      }
    }
  }
  guard length >= 0 else { throw HostError("read link", path.string, .current) }
  return String(decoding: buffer.prefix(length), as: UTF8.self)
}

/// The absolute path without symbolic links; `nil` where there is nothing at `path`.
func resolvedPath(_ path: FilePath) -> FilePath? {
  // SAFETY: with a nil buffer realpath(3) allocates the result, which is freed here.
  guard let text = unsafe path.withCString({ unsafe realpath($0, nil) }) else { return nil }
  defer { unsafe free(text) }
  return unsafe FilePath(String(cString: text))
}

/// True where something is at `path`, links followed.
func pathExists(_ path: FilePath) -> Bool {
  // Not access(2): a device policy of the service (cgroup) refuses even F_OK on a node it forbids.
  var status = stat()
  // SAFETY: the string is NUL-terminated and lives for the call; stat fills the structure.
  return unsafe path.withCString { unsafe stat($0, &status) } == 0
}
