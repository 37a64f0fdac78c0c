// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI
internal import LinuxHost
internal import SystemPackage

/// The undo record in a file of the runtime directory; written for good before each change takes effect.
actor UndoFile: UndoBook {
  private let file: StateFile
  private var record: UndoRecord

  /// Starts from what an agent before this one left behind; a broken file counts as empty.
  init(path: FilePath) {
    file = StateFile(path: path)
    record = UndoFile.read(file)
  }

  /// What is to be undone now.
  var current: UndoRecord { record }

  func change(_ edit: @Sendable (inout UndoRecord) -> Void) async throws(AgentError) {
    var next = record
    edit(&next)
    guard next != record else { return }
    let bytes = Array(try Message.encode(next).dropLast())
    do throws(HostError) {
      try file.write(bytes)
    } catch {
      throw AgentError(
        .failed, "the undo record cannot be written (\(error))",
        hint: "make room in /run, or restart devconfigd")
    }
    record = next
  }

  private static func read(_ file: StateFile) -> UndoRecord {
    guard let bytes = (try? file.read()) ?? nil else { return UndoRecord() }
    return (try? Message.decode(UndoRecord.self, from: bytes)) ?? UndoRecord()
  }
}
