// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

private import Glibc
internal import SystemPackage

/// A file descriptor with exactly one owner, closed when its owner lets go of it.
public struct OwnedDescriptor: ~Copyable, Sendable {
  /// The number; valid as long as this value lives.
  public let rawValue: Int32

  /// Takes over `rawValue`, which nobody else may close from here on.
  public init(adopting rawValue: Int32) {
    self.rawValue = rawValue
  }

  deinit {
    // Nothing can be done about an error here: Linux frees the number in any case (close(2)).
    _ = Glibc.close(rawValue)
  }

  /// Gives the number away; the caller closes it from here on.
  public consuming func release() -> Int32 {
    let number = rawValue
    discard self
    return number
  }

  /// A second descriptor, close-on-exec, for the same open file description.
  ///
  /// Throws `HostError` with `EMFILE` where the process has no number left.
  public borrowing func duplicate() throws(HostError) -> OwnedDescriptor {
    try OwnedDescriptor.duplicating(rawValue)
  }

  /// A close-on-exec duplicate of a number that somebody else owns.
  ///
  /// Throws `HostError` with `EBADF` where `number` is not open, `EMFILE` where none is left.
  public static func duplicating(_ number: Int32) throws(HostError) -> OwnedDescriptor {
    let duplicate = fcntl(number, F_DUPFD_CLOEXEC, 3)
    guard duplicate >= 0 else { throw HostError("duplicate descriptor", "\(number)", .current) }
    return OwnedDescriptor(adopting: duplicate)
  }
}
