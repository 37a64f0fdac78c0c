// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import CSystemd
internal import Glibc

/// Who works at this machine, as logind knows it (sd-login(3)).
public enum Logins {
  /// True while the user with this number is logged in at a seat: on a desktop or a console.
  ///
  /// A login over the network has no seat, and one whose programs only run on has ended. False as well
  /// where there is no logind. Reads a small file of /run.
  public static func isAtSeat(_ user: UInt32) -> Bool {
    // No list is asked for, only how long it is; 0 leaves out what is closing.
    sd_uid_get_seats(user, 0, nil) > 0
  }
}
