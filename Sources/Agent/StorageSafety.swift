// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI
internal import LinuxHost
internal import SharePolicy
internal import SystemPackage
internal import USBModel

/// Keeps what is on an attached disk from being lost when the disk is detached.
struct StorageSafety: Sendable {
  /// How long a file system may take to be written before its disk is taken away all the same.
  static let patience = Duration.seconds(20)

  /// The device as people call it.
  let name: String
  /// What stands for it in the next command to type.
  let id: Int
  /// Where it is used, for people who may be elsewhere.
  var place = "this machine"

  /// Throws `AgentError` where one of `uses` is of what is stored on the device, naming it.
  ///
  /// With `force` only what cannot be written first is in the way: swap space, and what other block
  /// devices are made of.
  func check(_ uses: [LocalUse], force: Bool) throws(AgentError) {
    for use in uses {
      let mend: String
      switch use {
      case .mounted(_, let path):
        if force { continue }
        mend = "umount \(path), then: devconfig down \(id); or devconfig down --force \(id)"
      case .swap(let node): mend = "swapoff \(node), then: devconfig down \(id)"
      case .held(let node, let holder):
        mend = "take \(node) out of \(holder), then: devconfig down \(id)"
      case .keyboard, .network, .open: continue
      }
      throw AgentError(
        .inUse, "\(name) is in use on \(place): \(SharePolicy.reason(use))", hint: mend)
    }
  }

  /// Makes the device ready to be taken away: `check`, then `synchronize`.
  func release(_ uses: [LocalUse], force: Bool) async throws(AgentError) -> [String] {
    try check(uses, force: force)
    return await synchronize(uses)
  }

  /// The node of the device that is swap space, if one is.
  func swap(in uses: [LocalUse]) -> String? {
    for use in uses {
      if case .swap(let node) = use { return node }
    }
    return nil
  }

  /// Writes what is to be written to the device: mounted file systems, and all there are where it is a part
  /// of something else; what happened, in words for people.
  func synchronize(_ uses: [LocalUse]) async -> [String] {
    var notes: [String] = []
    for use in uses {
      switch use {
      case .mounted(let node, let path):
        let outcome = await StorageSafety.synchronize(FilePath(path))
        notes.append(
          "\(path): \(outcome), and \(node) is taken away under it; next: umount -l \(path)")
      case .held(let node, let holder):
        let outcome = await StorageSafety.synchronize(nil)
        notes.append("\(holder): \(outcome), and \(node) is taken away under it")
      case .swap, .keyboard, .network, .open: continue
      }
    }
    return notes
  }

  /// Writes the file system at `path`, or all of them.
  private static func synchronize(_ path: FilePath?) async -> String {
    let (outcomes, outcome) = AsyncStream.makeStream(of: String.self)
    // A device that hangs keeps its thread until it ends; nobody waits for that one.
    Task {
      do throws(HostError) {
        try await BlockingWork.run("sync") { () throws(HostError) in
          if let path { try FileSystem.synchronize(path) } else { FileSystem.synchronizeAll() }
        }
        outcome.yield("everything is written")
      } catch {
        outcome.yield("not everything could be written (\(error.code))")
      }
    }
    let limit = Task {
      try await Task.sleep(for: patience)
      outcome.yield("not everything was written within \(patience.components.seconds) s")
    }
    defer { limit.cancel() }
    for await first in outcomes { return first }
    return "nothing is known to be written"
  }
}
