// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// The command line of a session process: what it has to know before it reads anything from anybody.
///
/// `ROLE FILTER [--user UID GID] [--root DIRECTORY]`, the role as in `SessionCalls.Role`.
public struct SessionArguments: Sendable, Hashable {
  /// A user and a group by their numbers.
  public struct User: Sendable, Hashable {
    /// The user.
    public var user: UInt32
    /// Its only group.
    public var group: UInt32

    /// Takes both.
    public init(user: UInt32, group: UInt32) {
      self.user = user
      self.group = group
    }
  }

  /// What the session is for.
  public var role: SessionCalls.Role
  /// The file with the system calls it may make, as the kernel's seccomp filter takes them.
  public var filter: String
  /// Who it becomes; `nil` to stay who it is.
  public var user: User?
  /// The empty directory that becomes its file system; `nil` to keep the agent's.
  public var root: String?

  /// Takes all parts.
  public init(
    role: SessionCalls.Role, filter: String, user: User? = nil, root: String? = nil
  ) {
    self.role = role
    self.filter = filter
    self.user = user
    self.root = root
  }

  /// Reads a command line without the program's name; `nil` where it is not exactly of that form.
  public init?(parsing arguments: some Collection<String>) {
    var rest = Array(arguments)[...]
    func next() -> String? { rest.popFirst() }
    guard let role = next().flatMap(SessionCalls.Role.init(rawValue:)),
      let filter = next(), !filter.isEmpty, !filter.hasPrefix("-")
    else { return nil }
    self.init(role: role, filter: filter)
    while let option = next() {
      switch option {
      case "--user":
        guard user == nil, let number = next().flatMap({ UInt32($0) }),
          let group = next().flatMap({ UInt32($0) })
        else { return nil }
        user = User(user: number, group: group)
      case "--root":
        guard root == nil, let directory = next(), !directory.isEmpty else { return nil }
        root = directory
      default:
        return nil
      }
    }
  }

  /// The command line again.
  public var list: [String] {
    var list = [role.rawValue, filter]
    if let user { list += ["--user", "\(user.user)", "\(user.group)"] }
    if let root { list += ["--root", root] }
    return list
  }
}
