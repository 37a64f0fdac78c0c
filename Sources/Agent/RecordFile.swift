// SPDX-License-Identifier: Apache-2.0
// Copyright the devconfig authors

internal import AgentAPI
internal import Attaching
internal import LinuxHost
internal import SystemPackage

/// A record in a file of the runtime or the state directory, written for good before a change counts.
actor RecordFile<Record: Codable & Hashable & Sendable> {
  private let file: StateFile
  private var record: Record
  private let executor = BlockingExecutor("record")

  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  /// Starts from what an agent before this one left behind; a broken file counts as `empty`.
  init(path: FilePath, empty: Record) {
    file = StateFile(path: path, limit: Message.maximumLength)
    record = file.record(Record.self) ?? empty
  }

  /// What is written down now.
  var current: Record { record }

  /// Writes the change down for good before it returns; throws where it cannot be kept.
  func change(_ edit: @Sendable (inout Record) -> Void) async throws(AgentError) {
    var next = record
    edit(&next)
    guard next != record else { return }
    let bytes = Array(try Message.encode(next).dropLast())
    do throws(HostError) {
      try file.write(bytes)
    } catch {
      throw AgentError(
        .failed, "\(file.path) cannot be written (\(error))",
        hint: "make room in \(file.path.removingLastComponent()), or restart devconfigd")
    }
    record = next
  }
}

/// What must be undone in the kernel.
typealias UndoFile = RecordFile<UndoRecord>

extension RecordFile: UndoBook where Record == UndoRecord {
  init(path: FilePath) { self.init(path: path, empty: UndoRecord()) }
}

/// What is attached, by port.
typealias AttachedFile = RecordFile<[Int: AttachedDevice]>

extension RecordFile: AttachmentBook where Record == [Int: AttachedDevice] {
  init(path: FilePath) { self.init(path: path, empty: [:]) }
}

/// The kept devices.
typealias KeptFile = RecordFile<KeptDevices>

extension RecordFile: KeptBook where Record == KeptDevices {
  init(path: FilePath) { self.init(path: path, empty: KeptDevices()) }

  func read() -> KeptDevices { current }

  func write(_ kept: KeptDevices) async throws(AgentError) {
    try await change { $0 = kept }
  }
}
