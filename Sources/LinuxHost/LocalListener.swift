// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

private import Glibc
public import SystemPackage

/// A listening UNIX stream socket with a path, for the agent's local API.
public final class LocalListener: Sendable {
  /// The socket's path.
  public let path: FilePath

  private let acceptor: Acceptor<LocalConnection>
  private let file: FileIdentity?

  /// Makes the socket file with exactly `mode` and group, and listens.
  ///
  /// A file that a dead process left is replaced. `group` is a group's number; `nil` leaves the
  /// process's own. Throws `HostError`: `EADDRINUSE` where another process listens on `path`,
  /// `EEXIST` where something that is no socket is there, `ENAMETOOLONG` beyond 107 bytes.
  public init(path: FilePath, mode: UInt32 = 0o600, group: UInt32? = nil) throws(HostError) {
    let descriptor = try UnixSocket.make(nonBlocking: true, path: path)
    // One at a time in this directory, so that nobody removes the file another has just made.
    let directory = try openFile(path.removingLastComponent(), O_RDONLY | O_DIRECTORY)
    guard flock(directory.rawValue, LOCK_EX) == 0 else {
      throw HostError("lock directory of", path.string, .current)
    }
    try LocalListener.removeStaleFile(path)
    // The file is born with the socket's own mode, so nobody gets in before chmod and chown.
    guard fchmod(descriptor.rawValue, 0o600) == 0 else {
      throw HostError("protect", path.string, .current)
    }
    let number = descriptor.rawValue
    let bound = try unsafe UnixSocket.withAddress(path) { address, length in
      unsafe bind(number, address, length)
    }
    guard bound == 0 else { throw HostError("listen on", path.string, .current) }
    if let group {
      // SAFETY: the string is NUL-terminated and lives for the call.
      let result = unsafe path.withCString { unsafe chown($0, uid_t.max, group) }
      guard result == 0 else { throw HostError("change group of", path.string, .current) }
    }
    // SAFETY: as above.
    guard unsafe path.withCString({ unsafe chmod($0, mode) }) == 0,
      listen(number, SOMAXCONN) == 0
    else { throw HostError("listen on", path.string, .current) }
    self.path = path
    file = FileIdentity(path)
    acceptor = try Acceptor(
      listener: SharedDescriptor(descriptor), label: "devconfig.local-listener"
    ) { connection, _ in
      guard let peer = try? PeerCredentials.read(connection) else { return nil }
      return try? LocalConnection(connection, peer: peer)
    }
  }

  deinit {
    close()
  }

  /// The connections as they come in, for one consumer; ends with `close`.
  public var connections: AsyncStream<LocalConnection> {
    AsyncStream { await self.acceptor.next() }
  }

  /// Stops listening and removes the socket file, if it is still this listener's.
  public func close() {
    acceptor.close()
    if let file, FileIdentity(path) == file {
      // SAFETY: the string is NUL-terminated and lives for the call.
      _ = unsafe path.withCString { unsafe unlink($0) }
    }
  }

  /// Removes a socket file that nobody listens on.
  private static func removeStaleFile(_ path: FilePath) throws(HostError) {
    guard let there = FileIdentity(path) else { return }
    guard there.isSocket else { throw HostError("listen on", path.string, .fileExists) }
    let probe = try UnixSocket.make(nonBlocking: true, path: path)
    switch try UnixSocket.connect(probe, to: path) {
    case .connectionRefused?:
      // SAFETY: the string is NUL-terminated and lives for the call.
      guard unsafe path.withCString({ unsafe unlink($0) }) == 0 else {
        throw HostError("remove stale socket", path.string, .current)
      }
    case .noSuchFileOrDirectory?:
      return
    default:
      // Connected, or EAGAIN because the backlog is full: somebody is there.
      throw HostError("listen on", path.string, .addressInUse)
    }
  }
}
