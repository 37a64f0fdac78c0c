// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

/// One way in which a machine uses a device of its own right now.
///
/// The texts name the owner for people: a mount point, a program, an interface.
public enum LocalUse: Sendable, Hashable, Codable {
  /// A file system on `node` is mounted at `path`.
  case mounted(node: String, path: String)
  /// `node` is swap space.
  case swap(node: String)
  /// `node` is part of `holder`, such as `md0` or `dm-1`.
  case held(node: String, holder: String)
  /// A keyboard of a console or seat; `owner` is the program, such as `agetty on tty1`.
  case keyboard(node: String, owner: String)
  /// The network interface is up and has a carrier.
  case network(interface: String)
  /// A program has `node` open.
  case open(node: String, program: String, process: Int32)
}
