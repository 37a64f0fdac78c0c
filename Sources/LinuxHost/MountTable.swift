// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// What is mounted where, as in /proc/PID/mountinfo (proc(5)).
struct MountTable: Sendable {
  /// One mount.
  struct Mount: Sendable, Hashable {
    /// The device; major 0 for file systems that have no single one, as btrfs.
    var number: DeviceNumber
    /// Where.
    var path: String
    /// What was mounted, as `mount` was told: `/dev/sdb1`, `tmpfs`.
    var source: String
    /// The type of file system.
    var type: String
  }

  var mounts: [Mount]

  /// Reads a text; lines that make no sense are left out.
  ///
  /// A line is `id parent major:minor root path options optional… - type source superoptions`.
  init(_ text: some StringProtocol) {
    mounts = text.split(separator: "\n").compactMap { line in
      let fields = line.split(separator: " ", omittingEmptySubsequences: false)
      guard fields.count >= 10, let dash = fields[6...].firstIndex(of: "-"),
        dash + 2 < fields.count, let number = DeviceNumber(kind: .block, fields[2])
      else { return nil }
      return Mount(
        number: number, path: unescaped(fields[4]), source: unescaped(fields[dash + 2]),
        type: String(fields[dash + 1]))
    }
  }
}

/// Undoes the escapes of /proc/mounts and /proc/swaps: a backslash and three octal digits.
func unescaped(_ text: some StringProtocol) -> String {
  let bytes = Array(text.utf8)
  var result: [UInt8] = []
  var index = 0
  while index < bytes.count {
    if bytes[index] == UInt8(ascii: "\\"), index + 3 < bytes.count,
      let value = UInt8(String(decoding: bytes[index + 1...index + 3], as: UTF8.self), radix: 8)
    {
      result.append(value)
      index += 4
    } else {
      result.append(bytes[index])
      index += 1
    }
  }
  return String(decoding: result, as: UTF8.self)
}
