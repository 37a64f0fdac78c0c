// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import Glibc
import Testing

/// The two machines that `Tests/private-lan run` made: alpha, whose bus this process uses, and beta.
struct PrivateLAN {
  /// One of the two.
  enum Machine: String {
    case alpha
    case beta
  }

  /// True where the tests run under `Tests/private-lan`.
  static var isWanted: Bool {
    variable("DEVCONFIG_AVAHI_TESTS") == "1" && variable("DEVCONFIG_PRIVATE_LAN") != nil
  }

  private struct Failure: Error {
    let arguments: [String]
    let status: Int32
  }

  private let tool: String

  /// Starts everything afresh, so that nothing of the test before is in a cache; or only stops it.
  init(daemons: Bool = true) throws {
    tool = try #require(PrivateLAN.variable("DEVCONFIG_PRIVATE_LAN_TOOL"))
    for machine in ["alpha", "beta"] {
      try run("unpublish-all", machine)
      try run("avahi-stop", machine)
      try run("bus-stop", machine)
      if daemons {
        try run("bus-start", machine)
        try run("avahi-start", machine)
      }
    }
  }

  /// Runs a verb of the tool to its end; throws where it fails.
  func run(_ arguments: String...) throws {
    try wait(for: try spawn(arguments, output: nil), arguments)
  }

  /// What avahi-browse of `machine` prints now.
  func browse(_ machine: Machine) throws -> String {
    var ends: [Int32] = [0, 0]
    try #require(pipe(&ends) == 0)
    defer { close(ends[0]) }
    let arguments = ["browse", machine.rawValue]
    let child: pid_t
    do {
      defer { close(ends[1]) }
      child = try spawn(arguments, output: ends[1])
    }
    var text: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while case let count = read(ends[0], &buffer, buffer.count), count > 0 {
      text += buffer.prefix(count)
    }
    try wait(for: child, arguments)
    return String(decoding: text, as: UTF8.self)
  }

  private func wait(for child: pid_t, _ arguments: [String]) throws {
    var status: Int32 = 0
    while waitpid(child, &status, 0) < 0 && errno == EINTR {}
    guard status == 0 else { throw Failure(arguments: arguments, status: status) }
  }

  private func spawn(_ arguments: [String], output: Int32?) throws -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    if let output { posix_spawn_file_actions_adddup2(&actions, output, 1) }
    // The pool's threads block all signals; the daemons would inherit that and never hear SIGTERM.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    var words: [UnsafeMutablePointer<CChar>?] = ([tool] + arguments).map { strdup($0) }
    defer { for word in words { free(word) } }
    words.append(nil)
    var child: pid_t = 0
    try #require(posix_spawn(&child, tool, &actions, &attributes, words, environ) == 0)
    return child
  }

  private static func variable(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }
  }
}
