// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import LinuxHost
internal import Synchronization
internal import Systemd

/// Who works at this machine.
final class Seats: Sendable {
  /// The numbers of users that were asked for: who has a name is a question to a directory server, perhaps, and
  /// this one is asked every second.
  private let numbers = Mutex<[String: UInt32]>([:])

  /// True while the user of this name is logged in on a desktop or a console.
  ///
  /// Never of root: what an administrator sets up is to stay.
  func have(_ name: String) async -> Bool {
    await BlockingWork.run("seats") {
      guard let user = self.number(of: name), user != 0 else { return false }
      return Logins.isAtSeat(user)
    }
  }

  private func number(of name: String) -> UInt32? {
    if let known = numbers.withLock({ $0[name] }) { return known }
    guard let user = UserDatabase.userID(named: name)?.user else { return nil }
    numbers.withLock { $0[name] = user }
    return user
  }
}
