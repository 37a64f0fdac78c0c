// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import LinuxHost
internal import Systemd

/// Who works at this machine.
enum Seats {
  /// True while the user of this name is logged in on a desktop or a console.
  ///
  /// Never of root: what an administrator sets up is to stay.
  static func have(_ name: String) async -> Bool {
    await BlockingWork.run("seats") {
      guard let user = UserDatabase.userID(named: name)?.user, user != 0 else { return false }
      return Logins.isAtSeat(user)
    }
  }
}
