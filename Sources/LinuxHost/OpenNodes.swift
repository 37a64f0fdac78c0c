// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

private import CLinux
private import Glibc
public import SystemPackage

/// Which programs have which device nodes open, and what is mounted anywhere: one look at /proc.
///
/// Reads every process's descriptor table (needs root for other users' processes): tens of ms on a
/// desktop. Make it once for all devices, off the cooperative pool.
public struct OpenNodes: Sendable {
  /// A process that has a node open.
  struct Holder: Sendable, Hashable {
    var process: Int32
    var program: String
  }

  /// Programs that open devices only to watch over them; names as `comm` cuts them, at 15 bytes.
  public static let watchers: Set<String> = [
    "systemd-logind", "elogind-daemon", "elogind", "systemd-udevd", "(udev-worker)", "devconfigd",
    "devconfig-sessi",
  ]

  private let devfs: String
  private var byNumber: [DeviceNumber: [Holder]] = [:]
  private var byPath: [String: [Holder]] = [:]
  /// What is mounted in the mount namespaces of all processes, each mount once.
  private(set) var mounts: Set<MountTable.Mount> = []

  /// Looks at all processes but this one and those of `ignoring`.
  ///
  /// Processes that end meanwhile or may not be read are left out.
  public init(procfs: FilePath, devfs: FilePath, ignoring: Set<String> = OpenNodes.watchers) {
    self.devfs = devfs.string + "/"
    var namespaces: Set<String> = []
    addMounts(procfs.appending("self"), &namespaces)
    let own = getpid()
    let kernelThreads = OpenNodes.kernelThreads(procfs)
    for name in (try? directoryEntries(procfs)) ?? [] {
      guard let process = Int32(name), process > 0, !kernelThreads.contains(process) else {
        continue
      }
      let directory = procfs.appending(name)
      addMounts(directory, &namespaces)
      if process != own { addDescriptors(directory, process, ignoring) }
    }
  }

  /// The threads of the kernel, which have no descriptors and are most of the processes of a machine
  /// with nothing to do; none where it cannot be told.
  private static func kernelThreads(_ procfs: FilePath) -> Set<Int32> {
    // All are children of kthreadd, process 2 (rest_init, init/main.c). In a container that is an
    // ordinary process, which has a program.
    let daemon = procfs.appending("2")
    guard (try? linkText(daemon.appending("exe"))) == nil,
      let status = try? readText(daemon.appending("stat"), limit: HostLimits.tableLength),
      // Its parent is no process; proc(5): "pid (comm) state ppid".
      status.hasPrefix("2 (kthreadd) "), status.split(separator: " ").dropFirst(3).first == "0",
      let children = try? readText(
        daemon.appending("task/2/children"), limit: HostLimits.tableLength)
    else { return [] }
    return Set(children.split(whereSeparator: \.isWhitespace).compactMap { Int32($0) })
  }

  /// The holders of a node, by number and by path, each process once, in the order of process IDs.
  func holders(of number: DeviceNumber?, path: String) -> [Holder] {
    let found = (number.flatMap { byNumber[$0] } ?? []) + (byPath[path] ?? [])
    return Set(found).sorted { $0.process < $1.process }
  }

  /// A private mount namespace may have a disk mounted that ours does not show.
  private mutating func addMounts(_ directory: FilePath, _ namespaces: inout Set<String>) {
    let namespace = (try? linkText(directory.appending("ns/mnt"))) ?? directory.string
    guard namespaces.insert(namespace).inserted,
      let text = try? readText(directory.appending("mountinfo"), limit: HostLimits.tableLength)
    else { return }
    mounts.formUnion(MountTable(text).mounts)
  }

  private mutating func addDescriptors(
    _ directory: FilePath, _ process: Int32, _ ignoring: Set<String>
  ) {
    let table = directory.appending("fd")
    var numbers: Set<DeviceNumber> = []
    var paths: Set<String> = []
    for name in (try? directoryEntries(table)) ?? [] {
      let link = table.appending(name)
      guard let text = try? linkText(link), OpenNodes.mayBeNode(text) else { continue }
      if let number = OpenNodes.number(of: link) {
        numbers.insert(number)
      } else if text.hasPrefix(devfs) {
        paths.insert(text)
      }
    }
    guard !numbers.isEmpty || !paths.isEmpty else { return }
    let name = try? readText(directory.appending("comm"), limit: HostLimits.processNameLength)
    let program = name.map { String($0.trimmingASCIISpace()) } ?? "process \(process)"
    guard !ignoring.contains(program) else { return }
    let holder = Holder(process: process, program: program)
    for number in numbers { byNumber[number, default: []].append(holder) }
    for path in paths { byPath[path, default: []].append(holder) }
  }

  /// Leaves out what can be told from the link's text: `socket:[1]`, `/memfd:x`, `anon_inode:…`.
  private static func mayBeNode(_ text: String) -> Bool {
    text.hasPrefix("/") && !text.hasPrefix("/memfd:")
  }

  /// The number of the node that a descriptor is open on; `nil` where that is no device node.
  private static func number(of link: FilePath) -> DeviceNumber? {
    var (mode, major, minor): (UInt32, UInt32, UInt32) = (0, 0, 0)
    // SAFETY: the string lives for the call, three integers are filled.
    let result = unsafe link.withCString { text in
      unsafe clinux_file_kind(AT_FDCWD, text, &mode, &major, &minor)
    }
    guard result == 0 else { return nil }
    switch mode_t(mode) {
    case S_IFCHR: return DeviceNumber(kind: .character, major: major, minor: minor)
    case S_IFBLK: return DeviceNumber(kind: .block, major: major, minor: minor)
    default: return nil
    }
  }
}
