// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

private import Glibc
internal import SystemPackage

/// The status file of a controller of vhci_hcd, open and locked (flock(2)) until it is dropped.
///
/// Reading it while the controller's driver is being bound or unbound ends in the kernel, with all of vhci_hcd locked for
/// good: `status_show_vhci` looks at both halves when one of them is not there yet, or not any more (seen on
/// 6.1.0-56). So who reads has a shared lock, and who makes a controller anew the only one. Every program
/// of ours that reads the file does so through this.
struct StatusFile: ~Copyable {
  /// What others may do meanwhile.
  enum Lock {
    /// They may read too.
    case shared
    /// Nothing; not waited for.
    case exclusive
  }

  /// As the kernel makes it (drivers/usb/usbip/vhci_sysfs.c, `set_status_attr`).
  private static let mode: mode_t = 0o444
  /// For root alone.
  private static let closedMode: mode_t = 0o400

  let path: FilePath
  private let file: OwnedDescriptor

  private init(path: FilePath, file: consuming OwnedDescriptor) {
    self.path = path
    self.file = file
  }

  /// Opens and locks the file of `controller`.
  ///
  /// Throws `HostError`: `ENOENT` where there is no such controller, `EWOULDBLOCK` where somebody reads.
  static func open(
    _ host: VirtualHost, controller: Int, _ lock: Lock
  ) throws(HostError) -> StatusFile {
    let name = controller == 0 ? "status" : "status.\(controller)"
    let path = host.sysfs.absolute(VirtualHost.directory.appending(name))
    let file = try openFile(path, O_RDONLY)
    let operation = lock == .shared ? LOCK_SH : LOCK_EX | LOCK_NB
    if case .failure(let code) = retryingOnInterrupt({ flock(file.rawValue, operation) }) {
      throw HostError("lock", path.string, code)
    }
    return StatusFile(path: path, file: file)
  }

  /// The whole text.
  func text() throws(HostError) -> String {
    String(
      decoding: try readFile(file, path, limit: HostLimits.attributeLength), as: UTF8.self)
  }

  /// Lets nobody but root open it, until `reopen`.
  func close() throws(HostError) {
    guard fchmod(file.rawValue, StatusFile.closedMode) == 0 else {
      throw HostError("change mode of", path.string, .current)
    }
  }

  /// Lets everybody open it.
  func reopen() { _ = fchmod(file.rawValue, StatusFile.mode) }

  /// True where another process has it open, who may not know of the lock.
  func isOpenElsewhere(_ procfs: FilePath) -> Bool {
    // sysfs may be mounted in several places; no other file ends like this.
    let end = "/vhci_hcd.0/" + (path.lastComponent?.string ?? "")
    let own = "\(getpid())"
    return ((try? directoryEntries(procfs)) ?? []).contains { process in
      guard Int32(process) != nil, process != own else { return false }
      let table = procfs.appending(process).appending("fd")
      return ((try? directoryEntries(table)) ?? []).contains {
        (try? linkText(table.appending($0)))?.hasSuffix(end) == true
      }
    }
  }
}
