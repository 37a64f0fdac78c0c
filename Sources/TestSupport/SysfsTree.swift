// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

private import Glibc
public import SystemPackage

/// A fake of /sys, /proc, /dev, /run and /etc in a directory of its own, removed with the object.
///
/// Device nodes are plain files: programs are "seen" to have them open by the text of their links in
/// the fake /proc. Paths are relative to `root`, such as `sys/bus/usb/devices`.
public final class SysfsTree: Sendable {
  /// The directory that holds all.
  public let root: FilePath
  /// The fake /sys.
  public var sys: FilePath { root.appending("sys") }
  /// The fake /proc.
  public var proc: FilePath { root.appending("proc") }
  /// The fake /dev.
  public var dev: FilePath { root.appending("dev") }
  /// The fake /run.
  public var run: FilePath { root.appending("run") }
  /// The fake /etc.
  public var etc: FilePath { root.appending("etc") }

  /// Makes empty trees; throws `Errno` where that is not possible.
  public init() throws {
    root = try SysfsTree.temporaryDirectory()
    for name in ["sys/bus/usb/devices", "sys/class", "proc/self", "dev/bus/usb", "run/udev", "etc"]
    {
      try makeDirectory(FilePath(name))
    }
  }

  deinit {
    SysfsTree.removeAll(root)
  }

  /// Makes a directory and those above it.
  public func makeDirectory(_ path: FilePath) throws {
    try makeDirectory(text: path.string)
  }

  private func makeDirectory(text: String) throws {
    guard !text.isEmpty, mkdir("\(root.string)/\(text)", 0o755) != 0, errno != EEXIST else {
      return
    }
    guard errno == ENOENT, let slash = text.lastIndex(of: "/") else { throw Errno(rawValue: errno) }
    try makeDirectory(text: String(text[..<slash]))
    guard mkdir("\(root.string)/\(text)", 0o755) == 0 || errno == EEXIST else {
      throw Errno(rawValue: errno)
    }
  }

  /// Makes the directory that `path` is in.
  private func makeParent(of path: FilePath) throws {
    let text = path.string
    if let slash = text.lastIndex(of: "/") { try makeDirectory(text: String(text[..<slash])) }
  }

  /// Makes or replaces a file of text, and the directories above it.
  public func write(_ text: String, to path: FilePath) throws {
    try write(Array(text.utf8), to: path)
  }

  /// Makes or replaces a file of bytes, and the directories above it.
  public func write(_ bytes: [UInt8], to path: FilePath) throws {
    try makeParent(of: path)
    let descriptor = try FileDescriptor.open(
      FilePath("\(root.string)/\(path.string)"), .writeOnly,
      options: [.create, .truncate, .closeOnExec],
      permissions: [.ownerReadWrite, .groupRead, .otherRead])
    try descriptor.closeAfter { _ = try descriptor.writeAll(bytes) }
  }

  /// The text of a file.
  public func read(_ path: FilePath) throws -> String {
    let descriptor = try FileDescriptor.open(
      FilePath("\(root.string)/\(path.string)"), .readOnly, options: .closeOnExec)
    return try descriptor.closeAfter {
      var text: [UInt8] = []
      var chunk = [UInt8](repeating: 0, count: 4096)
      while true {
        let count = try chunk.withUnsafeMutableBytes { try descriptor.read(into: $0) }
        guard count > 0 else { return String(decoding: text, as: UTF8.self) }
        text += chunk.prefix(count)
      }
    }
  }

  /// Makes a link whose text is the absolute path of `target` in this tree, or replaces it.
  public func link(_ path: FilePath, to target: FilePath) throws {
    try linkText(path, root.appending(target.components).string)
  }

  /// Makes a link with exactly this text, such as `socket:[4711]`.
  public func linkText(_ path: FilePath, _ text: String) throws {
    try makeParent(of: path)
    let whole = FilePath("\(root.string)/\(path.string)")
    _ = whole.withCString { unlink($0) }
    guard whole.withCString({ symlink(text, $0) }) == 0 else { throw Errno(rawValue: errno) }
  }

  /// Removes a file, a link, or a directory with all in it.
  public func remove(_ path: FilePath) {
    SysfsTree.removeAll(FilePath("\(root.string)/\(path.string)"))
  }

  /// True where something is at `path`, links followed.
  public func exists(_ path: FilePath) -> Bool {
    FilePath("\(root.string)/\(path.string)").withCString { access($0, F_OK) } == 0
  }

  /// A new directory below `TMPDIR`, short enough for socket paths; the caller removes it.
  public static func temporaryDirectory() throws -> FilePath {
    // In memory where there is such a place, as the real ones are: a disk would be waited for.
    let memory = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"
    let parent = getenv("TMPDIR").map { String(cString: $0) } ?? memory
    var template = Array("\(parent)/devconfig.XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw Errno(rawValue: errno) }
    // The kernel's names have no links in them, and neither must these.
    guard let resolved = realpath(template, nil) else { throw Errno(rawValue: errno) }
    defer { free(resolved) }
    return FilePath(String(cString: resolved))
  }

  /// Removes a path and all below it, links not followed.
  public static func removeAll(_ path: FilePath) {
    var status = stat()
    guard path.withCString({ lstat($0, &status) }) == 0 else { return }
    guard status.st_mode & S_IFMT == S_IFDIR else {
      _ = path.withCString { unlink($0) }
      return
    }
    if let stream = path.withCString({ opendir($0) }) {
      var names: [String] = []
      while let entry = readdir(stream) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) { field in
          field.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if name != ".", name != ".." { names.append(name) }
      }
      closedir(stream)
      for name in names { removeAll(path.appending(name)) }
    }
    _ = path.withCString { rmdir($0) }
  }
}
