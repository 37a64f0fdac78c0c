// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

import Glibc
import SystemPackage
import TestSupport

/// Somebody with no rights at all on the machine, for tests that run as root.
enum OtherUser {
  /// Number of `nobody` and `nogroup` on Debian (base-passwd, users-and-groups).
  static let number: UInt32 = 65534
  /// Options of setpriv(1).
  static let options = ["--reuid=\(number)", "--regid=\(number)", "--clear-groups"]

  /// True where this process may become that user, and that user may run the programs.
  static let canRun: Bool = {
    guard Machine.isRoot else { return false }
    var path = Machine.programs
    while !path.components.isEmpty {
      var status = stat()
      guard path.withCString({ stat($0, &status) }) == 0, status.st_mode & 0o005 == 0o005 else {
        return false
      }
      path.removeLastComponent()
    }
    return true
  }()

  /// Lets that user reach the socket of `machine`.
  static func open(_ machine: Machine) throws {
    for path in [machine.tree.root, machine.tree.run] {
      guard path.withCString({ chmod($0, 0o755) }) == 0 else { throw Errno(rawValue: errno) }
    }
  }

  /// Lets an agent of that user keep its state in `machine`.
  static func give(_ machine: Machine) throws {
    try open(machine)
    for path in [machine.tree.run, machine.tree.root.appending("var")] {
      guard path.withCString({ chown($0, number, number) }) == 0 else {
        throw Errno(rawValue: errno)
      }
    }
  }
}

extension Machine {
  /// Runs `devconfig` as that user.
  func devconfigAsOther(_ arguments: String...) async throws -> Finished {
    try await devconfigAsOther(arguments)
  }

  /// The same.
  func devconfigAsOther(_ arguments: [String]) async throws -> Finished {
    let program = try await Program(
      Machine.programs.appending("devconfig"), arguments,
      environment: ["DEVCONFIG_SOCKET": socket.string], user: OtherUser.options)
    let status = try await program.ended()
    return Finished(status: status, data: program.data, talk: program.talk)
  }
}
