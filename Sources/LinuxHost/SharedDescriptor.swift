// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// A file descriptor with several owners, closed when the last of them lets go of it.
///
/// For the places where Swift cannot move a `~Copyable` value: streams, dictionaries, closures.
public final class SharedDescriptor: Sendable {
  private let owned: OwnedDescriptor

  /// Takes over `owned`.
  public init(_ owned: consuming OwnedDescriptor) {
    self.owned = owned
  }

  /// The number; valid as long as this object lives.
  public var rawValue: Int32 { owned.rawValue }

  /// A second descriptor, close-on-exec, for the same open file description.
  ///
  /// Throws `HostError` with `EMFILE` where the process has no number left.
  public func duplicate() throws(HostError) -> OwnedDescriptor {
    try owned.duplicate()
  }
}
