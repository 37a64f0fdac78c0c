// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

private import Glibc

/// Users and groups as this machine knows them (nsswitch.conf(5)).
///
/// A look-up may ask a directory server and take seconds: keep it off the cooperative pool.
public enum UserDatabase {
  /// The name of a user; `nil` where there is none with this number.
  public static func userName(_ user: UInt32) -> String? {
    // SAFETY: all fields are numbers and pointers, zero is a value of each.
    var entry = unsafe passwd()
    return unsafe lookUp { buffer, size in
      var found: UnsafeMutablePointer<passwd>?
      // SAFETY: the entry's strings lie in `buffer`, and are copied before it goes away.
      let result = unsafe getpwuid_r(user, &entry, buffer, size, &found)
      guard result == 0, unsafe found != nil, let name = unsafe entry.pw_name else {
        return (result, nil)
      }
      return unsafe (0, String(cString: name))
    }
  }

  /// The numbers of a user and of its group; `nil` where there is none of this name.
  public static func userID(named name: String) -> (user: UInt32, group: UInt32)? {
    guard !name.utf8.contains(0) else { return nil }
    // SAFETY: as above.
    var entry = unsafe passwd()
    return unsafe lookUp { buffer, size in
      var found: UnsafeMutablePointer<passwd>?
      // SAFETY: as above; only numbers leave.
      let result = unsafe getpwnam_r(name, &entry, buffer, size, &found)
      return unsafe (result, found == nil ? nil : (entry.pw_uid, entry.pw_gid))
    }
  }

  /// The number of a group; `nil` where there is none of this name.
  public static func groupID(named name: String) -> UInt32? {
    guard !name.utf8.contains(0) else { return nil }
    // SAFETY: as above.
    var entry = unsafe group()
    return unsafe lookUp { buffer, size in
      var found: UnsafeMutablePointer<group>?
      // SAFETY: as above; only a number leaves.
      let result = unsafe getgrnam_r(name, &entry, buffer, size, &found)
      return unsafe (result, found == nil ? nil : entry.gr_gid)
    }
  }

  /// Repeats with more room while the entry does not fit.
  private static func lookUp<Value>(
    _ body: (UnsafeMutablePointer<CChar>, Int) -> (Int32, Value?)
  ) -> Value? {
    var size = 4096
    while size <= HostLimits.userEntryLength {
      let (result, value) = unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: size) {
        buffer -> (Int32, Value?) in
        guard let start = buffer.baseAddress else { return (ENOMEM, nil) }
        return unsafe body(start, size)
      }
      guard result == ERANGE else { return value }
      size *= 4
    }
    return nil
  }
}
