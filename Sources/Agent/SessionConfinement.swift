// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI
internal import Glibc
internal import LinuxHost
internal import Seccomp
internal import SystemPackage

/// Who a session process becomes and where it lives: what its sandbox needs of this machine.
struct SessionConfinement: Sendable {
  /// The user of every session (etc/sysusers.d/devconfig.conf).
  static let userName = "devconfig-session"

  private let places: Places
  /// The user, where the agent may become somebody else and there is one.
  let user: SessionArguments.User?
  /// The empty directory, where the agent may change the root directory.
  let root: FilePath?
  /// Why sessions stay the agent's user, and what helps; `nil` where they do not.
  let weakness: (reason: String, hint: String)?

  /// Makes the filters and the directory, and looks up the user; the latter two for root only.
  ///
  /// Blocks like any look-up. Throws `StartError` where something cannot be made.
  init(places: Places) throws(StartError) {
    self.places = places
    do {
      for (role, profile) in SessionConfinement.profiles {
        let file = StateFile(path: places.sessionFilter(role))
        try file.write(try profile.program())
      }
      if geteuid() == 0 { try EmptyDirectory.make(places.sessionRoot) }
    } catch {
      throw StartError(status: 1, reason: "sessions cannot be confined: \(error)")
    }
    guard geteuid() == 0 else {
      (user, root) = (nil, nil)
      weakness = ("devconfigd is not root", "start it as root: systemctl start devconfigd")
      return
    }
    root = places.sessionRoot
    // A user that is root under another name is none.
    if let found = UserDatabase.userID(named: SessionConfinement.userName), found.user != 0 {
      user = SessionArguments.User(user: found.user, group: found.group)
      weakness = nil
    } else {
      user = nil
      weakness = (
        "there is no user \(SessionConfinement.userName)",
        "systemd-sysusers makes it, then systemctl restart devconfigd"
      )
    }
  }

  /// The command line of a session.
  func arguments(for role: SessionCalls.Role) -> SessionArguments {
    SessionArguments(
      role: role, filter: places.sessionFilter(role).string, user: user, root: root?.string)
  }

  /// One role for each filter; those that dial share theirs.
  private static let profiles: [(SessionCalls.Role, SystemCallProfile)] = [
    (.export, .export), (.importDevice, .dial),
  ]
}
