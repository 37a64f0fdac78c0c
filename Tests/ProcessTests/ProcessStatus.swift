// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import Glibc
import SystemPackage

/// What the kernel tells of a process, at one moment (proc(5)).
struct ProcessStatus {
  private let fields: [String: [String]]

  /// Throws `Errno` where there is no such process.
  init(_ pid: pid_t) throws {
    let file = try FileDescriptor.open(FilePath("/proc/\(pid)/status"), .readOnly)
    defer { try? file.close() }
    var buffer = [UInt8](repeating: 0, count: 8192)
    let count = try buffer.withUnsafeMutableBytes { try file.read(into: $0) }
    fields = String(decoding: buffer.prefix(count), as: UTF8.self).split(separator: "\n").reduce(
      into: [:]
    ) { fields, line in
      let words = line.split(separator: ":", maxSplits: 1)
      guard words.count == 2 else { return }
      fields[String(words[0])] = words[1].split(whereSeparator: \.isWhitespace).map(String.init)
    }
  }

  /// The words of one line of /proc/PID/status; `nil` where there is no such line.
  subscript(_ name: String) -> [String]? { fields[name] }

  /// Where a symbolic link leads; `nil` where it cannot be read.
  static func link(_ path: String) -> String? {
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = readlink(path, &buffer, buffer.count)
    return count < 0 ? nil : String(decoding: buffer.prefix(count), as: UTF8.self)
  }
}
