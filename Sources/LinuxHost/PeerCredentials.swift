// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

private import CLinux
private import Glibc

/// Who is at the other end of a local connection, as the kernel saw it when they connected.
public struct PeerCredentials: Sendable, Hashable {
  /// The effective user.
  public var uid: UInt32
  /// The effective group.
  public var gid: UInt32
  /// The process; it may be gone and its number in use again.
  public var pid: Int32
  /// The supplementary groups.
  public var groups: [UInt32]

  /// Takes all parts.
  public init(uid: UInt32, gid: UInt32, pid: Int32, groups: [UInt32] = []) {
    self.uid = uid
    self.gid = gid
    self.pid = pid
    self.groups = groups
  }

  /// True for a member of the group, primary or supplementary.
  public func isMember(of group: UInt32) -> Bool {
    gid == group || groups.contains(group)
  }

  /// The user's name, or its number where it has none; asks the user database on a thread of its own.
  public func userName() async -> String {
    let uid = uid
    let name: String? = await BlockingWork.run("user-name") { UserDatabase.userName(uid) }
    return name ?? String(uid)
  }

  /// Reads `SO_PEERCRED` and `SO_PEERGROUPS` of a connected UNIX socket.
  ///
  /// Throws `HostError` where it is none.
  static func read(_ descriptor: borrowing OwnedDescriptor) throws(HostError) -> PeerCredentials {
    var pid = pid_t(0)
    var uid = uid_t(0)
    var gid = gid_t(0)
    // SAFETY: three integers of the sizes the function fills.
    guard unsafe clinux_peer_credentials(descriptor.rawValue, &pid, &uid, &gid) == 0 else {
      throw HostError("read peer of", "\(descriptor.rawValue)", .current)
    }
    return PeerCredentials(uid: uid, gid: gid, pid: pid, groups: groups(descriptor.rawValue))
  }

  /// The supplementary groups; none where the kernel does not say (before 4.13).
  private static func groups(_ descriptor: Int32) -> [UInt32] {
    var capacity = 64
    while capacity <= HostLimits.groups {
      var groups = [gid_t](repeating: 0, count: capacity)
      var length = socklen_t(capacity * MemoryLayout<gid_t>.stride)
      // SAFETY: the kernel writes at most `length` bytes and says how many.
      let result = unsafe getsockopt(descriptor, SOL_SOCKET, SO_PEERGROUPS, &groups, &length)
      if result == 0 { return Array(groups.prefix(Int(length) / MemoryLayout<gid_t>.stride)) }
      guard errno == ERANGE else { return [] }
      capacity = max(capacity * 2, Int(length) / MemoryLayout<gid_t>.stride)
    }
    return []
  }
}
