// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import Glibc

/// Where a verb writes: data to one side, talk to the other.
protocol Console {
  /// Writes a line of data (standard output).
  mutating func data(_ line: String)
  /// Writes a line of talk (standard error).
  mutating func talk(_ line: String)
}

/// The process's own standard output and standard error.
struct StandardConsole: Console {
  mutating func data(_ line: String) { StandardConsole.write(line + "\n", to: STDOUT_FILENO) }
  mutating func talk(_ line: String) { StandardConsole.write(line + "\n", to: STDERR_FILENO) }

  /// Writes all of it; a closed pipe ends the writing, not the program.
  private static func write(_ text: String, to descriptor: Int32) {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0 {
        guard errno == EINTR else { return }
        continue
      }
      bytes = bytes.dropFirst(count)
    }
  }
}
